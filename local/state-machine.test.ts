import { expect, test } from 'vitest';
import { stateMachineSchema } from './state-machine.ts';

const task = { Type: 'Task', Resource: 'arn:aws:lambda:eu-west-2:000000000000:function:f', TimeoutSeconds: 90, End: true };
const parse = (state: object, whole: object = {}) =>
  stateMachineSchema.safeParse({ DefinitionString: JSON.stringify({ StartAt: 'A', States: { A: state }, ...whole }) });

test('functions and other executions are called', () => {
  expect(parse(task).error).toBeUndefined();
  expect(parse({ ...task, Resource: 'arn:aws:states:::states:startExecution' }).error).toBeUndefined();
});

test.each([
  [{ ...task, Resource: 'arn:aws:states:::sqs:sendMessage' }, {}, /startExecution/],
  [{ ...task, Resource: 'arn:aws:states:::states:startExecution.sync:2' }, {}, /startExecution/],
  [{ ...task, TimeoutSeconds: undefined }, {}, /TimeoutSeconds/],
  [{ Type: 'Map', End: true }, {}, /only Task/],
  [{ Type: 'Pass', QueryLanguage: 'JSONata', End: true }, {}, /JSONPath/],
  [task, { QueryLanguage: 'JSONata' }, /JSONPath/],
  [task, { TimeoutSeconds: 3 }, /time limit/],
])('what would run differently here is refused: %j %j', (state, whole, message) => {
  expect(parse(state, whole).error?.message).toMatch(message);
});
