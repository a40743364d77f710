/** Step Functions on one machine, as the real SDK client sees it, and over a restart. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DescribeExecutionCommand,
  GetExecutionHistoryCommand,
  ListExecutionsCommand,
  StartExecutionCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import { afterAll, afterEach, beforeEach, expect, test, vi } from 'vitest';
import { sfnClient } from '../../functions/aws/clients.ts';
import { SfnFreshWorkflows } from '../../functions/aws/sfn-fresh-workflows.ts';
import { Executions } from '../../local/emulators/executions.ts';
import { startStepFunctions } from '../../local/emulators/step-functions.ts';
import type { InvokeResult } from '../../local/runner/worker-messages.ts';
import { StateFile } from '../../local/state-file.ts';
import type { StateMachineDefinition } from '../../local/state-machine.ts';

const folder = mkdtempSync(join(tmpdir(), 'storeline-states-'));
afterAll(() => rmSync(folder, { recursive: true }));
const PLACE = 'arn:aws:states:eu-west-1:000000000000';
const machine: StateMachineDefinition = {
  name: 'tiny',
  arn: `${PLACE}:stateMachine:tiny`,
  permissions: null,
  definition: {
    StartAt: 'Work',
    States: {
      Work: { Type: 'Task', Resource: 'arn:aws:lambda:eu-west-1:000000000000:function:work', TimeoutSeconds: 60, Next: 'Rest' },
      Rest: { Type: 'Wait', Seconds: 3600, Next: 'Done' },
      Done: { Type: 'Succeed' },
    },
  },
};

/** Tries its task again after a minute. */
const retrying: StateMachineDefinition = {
  name: 'retrying',
  arn: `${PLACE}:stateMachine:retrying`,
  permissions: null,
  definition: {
    StartAt: 'Work',
    States: {
      Work: {
        ...machine.definition.States['Work'],
        Type: 'Task',
        Retry: [{ ErrorEquals: ['RangeError'], IntervalSeconds: 60 }],
        Next: 'Done',
      },
      Done: { Type: 'Succeed' },
    },
  },
};

let answer: InvokeResult;
let invoked: string[];
let stack: Awaited<ReturnType<typeof start>>;

async function start(restMs: number) {
  const state = new StateFile(folder);
  const logs: string[] = [];
  const executions = new Executions({
    machines: [machine, retrying],
    state,
    functions: {
      invoke: (name, event) => {
        invoked.push(`${name} ${event}`);
        return Promise.resolve({ requestId: 'r', result: answer });
      },
    },
    waits: { Rest: restMs },
    onTransition: () => {},
    log: (line) => logs.push(line),
  });
  const server = await startStepFunctions((line) => logs.push(line));
  server.open(executions);
  vi.stubEnv('AWS_ENDPOINT_URL_SFN', server.endpoint);
  vi.stubEnv('AWS_REGION', 'eu-west-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'local');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'local');
  const client = sfnClient();
  const close = async () => {
    client.destroy();
    await executions.close();
    await server.close();
    state.close();
  };
  return { client, executions, server, logs, close };
}

beforeEach(async () => {
  answer = { ok: true, payload: '{"done":true}' };
  invoked = [];
  stack = await start(60_000);
});
afterEach(async () => {
  await stack.close();
  vi.unstubAllEnvs();
});

const begin = (name: string, input = '{}') => stack.client.send(new StartExecutionCommand({ stateMachineArn: machine.arn, name, input }));
const describeIt = (executionArn: string | undefined) => stack.client.send(new DescribeExecutionCommand({ executionArn }));
const untilResting = () => expect.poll(() => stack.executions.busy).toBe(0);

test('the same name and input is the same execution, another input under that name is refused, and so is a name that was used', async () => {
  const first = await begin('same', '{"a":1}');
  expect(await begin('same', '{"a":1}')).toMatchObject({ executionArn: first.executionArn, startDate: first.startDate });
  await expect(begin('same', '{"a":2}')).rejects.toMatchObject({ name: 'ExecutionAlreadyExists' });
  expect(invoked).toEqual(['work {"a":1}']);
  await stack.client.send(new StopExecutionCommand({ executionArn: first.executionArn, error: 'Cancelled', cause: 'by Ada' }));
  expect(await describeIt(first.executionArn)).toMatchObject({ status: 'ABORTED', error: 'Cancelled', cause: 'by Ada', input: '{"a":1}' });
  await expect(begin('same', '{"a":1}')).rejects.toMatchObject({ name: 'ExecutionAlreadyExists' });
});

test('what is wrong is refused by the name the service has for it', async () => {
  await expect(begin('no spaces please')).rejects.toMatchObject({ name: 'InvalidName' });
  await expect(begin('text', 'not json')).rejects.toMatchObject({ name: 'InvalidExecutionInput' });
  await expect(describeIt(`${PLACE}:execution:tiny:nobody`)).rejects.toMatchObject({ name: 'ExecutionDoesNotExist' });
  await expect(stack.client.send(new ListExecutionsCommand({ stateMachineArn: `${PLACE}:stateMachine:other` }))).rejects.toMatchObject({
    name: 'StateMachineDoesNotExist',
  });
  const unsigned = { method: 'POST', headers: { 'x-amz-target': 'AWSStepFunctions.ListExecutions' }, body: '{}' };
  expect((await fetch(stack.server.endpoint, unsigned)).status).toBe(403);
});

test('executions are listed newest first and by status, in pages; a history likewise', async () => {
  for (const name of ['p1', 'p2', 'p3']) await begin(name);
  await untilResting();
  const page = { stateMachineArn: machine.arn, statusFilter: 'RUNNING' as const, maxResults: 2 };
  const { executions = [], nextToken } = await stack.client.send(new ListExecutionsCommand(page));
  const rest = await stack.client.send(new ListExecutionsCommand({ ...page, nextToken }));
  expect([...executions, ...(rest.executions ?? [])].map(({ name }) => name)).toEqual(['p3', 'p2', 'p1']);
  expect(rest.nextToken).toBeUndefined();
  const executionArn = executions[0]?.executionArn;
  const { events = [] } = await stack.client.send(new GetExecutionHistoryCommand({ executionArn }));
  expect(events.map(({ type, id }) => `${String(id)} ${String(type)}`)).toEqual([
    '1 ExecutionStarted',
    '2 TaskStateEntered',
    '3 TaskStateExited',
    '4 WaitStateEntered',
  ]);
  expect(events[2]?.stateExitedEventDetails).toEqual({ name: 'Work', output: '{"done":true}' });
  const last = await stack.client.send(new GetExecutionHistoryCommand({ executionArn, reverseOrder: true, maxResults: 1 }));
  expect(last.events?.map(({ type }) => type)).toEqual(['WaitStateEntered']);
});

test('a task that fails ends an execution that does not catch it, with the name of the error and the payload as its cause', async () => {
  answer = { ok: false, error: { errorType: 'RangeError', errorMessage: 'told to' } };
  const { executionArn } = await begin('fails');
  await expect.poll(async () => (await describeIt(executionArn)).status).toBe('FAILED');
  const { error, cause = '' } = await describeIt(executionArn);
  expect({ error, cause: JSON.parse(cause) as unknown }).toEqual({ error: 'RangeError', cause: answer.error });
  expect(stack.logs.join()).toContain('execution fails of tiny failed');
});

test('one that is stopped while it waits to try again does not try again', async () => {
  answer = { ok: false, error: { errorType: 'RangeError', errorMessage: 'told to' } };
  const { executionArn } = await stack.client.send(
    new StartExecutionCommand({ stateMachineArn: retrying.arn, name: 'stop', input: '{"n":9}' }),
  );
  // Executions of other tests have begun again in this stack.
  const tries = () => invoked.filter((one) => one.includes('"n":9'));
  await expect.poll(tries).toHaveLength(1);
  await stack.client.send(new StopExecutionCommand({ executionArn }));
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(tries()).toHaveLength(1);
});

test('what runs begins again after a restart, from its input; what is over stays over', async () => {
  const running = await begin('restarted', '{"n":7}');
  const stopped = await begin('stopped', '{"n":8}');
  await stack.client.send(new StopExecutionCommand({ executionArn: stopped.executionArn }));
  await untilResting();
  await stack.close();
  invoked = [];
  stack = await start(1);
  expect(invoked.filter((one) => /"n"/.test(one))).toEqual(['work {"n":7}']);
  await expect.poll(async () => (await describeIt(running.executionArn)).status).toBe('SUCCEEDED');
  expect((await describeIt(stopped.executionArn)).status).toBe('ABORTED');
  const { events = [] } = await stack.client.send(new GetExecutionHistoryCommand({ executionArn: running.executionArn }));
  expect(events.filter(({ type }) => type === 'ExecutionStarted')).toHaveLength(1);
});

test('a fresh run has one workflow, however often it is started', async () => {
  const workflows = new SfnFreshWorkflows(stack.client, machine.arn);
  const run = { storeId: 'S1', runId: '01890000-0000-7000-8000-000000000001' };
  await workflows.start(run);
  await workflows.start(run);
  await stack.executions.stop(`${PLACE}:execution:tiny:${run.runId}`, {});
  await workflows.start(run);
  expect(invoked).toEqual([`work ${JSON.stringify({ ...run, check: 0 })}`]);
});
