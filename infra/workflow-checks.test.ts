import { describe, expect, test } from 'vitest';
import { workflowFaults } from './workflow-checks.ts';

const task = { Type: 'Task', Resource: 'TASK', End: true };
const stack = (definition: object | string) => {
  const [before = '', after = ''] = (typeof definition === 'string' ? definition : JSON.stringify(definition)).split('TASK');
  const DefinitionString = { 'Fn::Join': ['', [before, { 'Fn::GetAtt': ['Step', 'Arn'] }, after]] };
  return {
    Resources: { Flow: { Type: 'AWS::StepFunctions::StateMachine', Properties: { DefinitionString } }, Other: { Type: 'AWS::SQS::Queue' } },
  };
};

describe('a workflow of a template', () => {
  test('is put together from its parts, and valid', () => {
    expect(workflowFaults(stack({ StartAt: 'Only', States: { Only: task } }))).toEqual([]);
  });

  test.each([
    ['leads nowhere', { StartAt: 'Only', States: { Only: { ...task, End: undefined, Next: 'Nowhere' } } }, /Nowhere/],
    ['begins nowhere', { StartAt: 'First', States: { Only: task } }, /First/],
    ['has an unknown state', { StartAt: 'Only', States: { Only: { ...task, Type: 'Dance' } } }, /Only/],
    ['is not JSON', '{"StartAt": TASK', /not JSON/],
  ])('that %s is named with what is wrong', (_, definition, says) => {
    const faults = workflowFaults(stack(definition));
    expect(faults).toMatchObject([{ resourceLogicalId: 'Flow' }]);
    expect(faults[0]?.description).toMatch(says);
  });
});
