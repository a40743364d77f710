/**
 * The definition of the workflow `fresh-sync` as it would be deployed: valid, within the limits of the service, and the paths it
 * takes, executed by the interpreter of the local stack with steps that answer as told.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StateMachine } from 'aws-local-stepfunctions';
import { afterAll, describe, expect, test } from 'vitest';
import { readOrganizations } from '../../infra/organizations.ts';
import { storelineApp } from '../../infra/storeline-app.ts';
import { workflowFaults } from '../../infra/workflow-checks.ts';
import { Executions } from '../../local/emulators/executions.ts';
import { StateFile } from '../../local/state-file.ts';
import type { Template } from '../../local/template.ts';
import { wire } from '../../local/wiring.ts';
import { limits } from '../../protocol/limits.ts';
import { type FreshRunRequest, WAIT_AN_HOUR, freshRunRequestSchema } from '../../protocol/messages/fresh-run.ts';

const folder = mkdtempSync(join(tmpdir(), 'storeline-workflow-'));
afterAll(() => rmSync(folder, { recursive: true }));

const assembly = storelineApp(readOrganizations(join(import.meta.dirname, '../../orgs'), ['demo']), {
  outdir: join(folder, 'out'),
  bundle: false,
}).synth();
const template = assembly.getStackByName('storeline-demo').template as Template;
const place = {
  stackName: 'storeline-demo',
  region: 'eu-west-2',
  apiOrigin: 'http://127.0.0.1:1',
  sqsOrigin: 'http://127.0.0.1:2',
  oidcIssuer: 'http://127.0.0.1:3',
};
const [machine] = wire({ template, place, assetFolder: () => '' }).stateMachines;
if (machine === undefined) throw new Error('the template has no state machine');

interface State {
  readonly Type: string;
  readonly Next?: string;
  readonly Default?: string;
  readonly Seconds?: number;
  readonly TimeoutSeconds?: number;
  readonly Choices?: readonly { readonly Next: string }[];
  readonly Retry?: readonly { readonly ErrorEquals: readonly string[]; readonly MaxAttempts: number; readonly JitterStrategy: string }[];
  readonly Catch?: readonly { readonly ErrorEquals: readonly string[]; readonly Next: string }[];
}
const states = machine.definition.States as unknown as Readonly<Record<string, State>>;
const tasks = Object.entries(states).filter(([, { Type }]) => Type === 'Task');

describe('the definition', () => {
  test('is valid by the check of the synthesis, which refuses one with a state that leads nowhere', () => {
    expect(workflowFaults(template)).toEqual([]);
    const broken = JSON.parse(JSON.stringify(template).replace('\\"Next\\":\\"Check\\"', '\\"Next\\":\\"Nowhere\\"')) as unknown;
    expect(workflowFaults(broken)).toMatchObject([{ description: expect.stringMatching(/Nowhere/) as string }]);
  });

  test('waits an hour', () => {
    expect(states[WAIT_AN_HOUR]).toMatchObject({ Type: 'Wait', Seconds: 3_600 });
  });

  test('every task retries what is the service’s trouble at random times, and catches everything else, alone and last', () => {
    expect(tasks.map(([name]) => name).sort()).toEqual(['Check', 'Continue as a new execution', 'Prepare', 'Redrive']);
    for (const [name, task] of tasks) {
      expect(task.Catch, name).toMatchObject([{ ErrorEquals: ['States.ALL'], ResultPath: '$.error' }]);
      expect(task.Retry, name).toMatchObject([{ MaxAttempts: 3, JitterStrategy: 'FULL' }]);
      if (name.startsWith('Continue')) continue;
      for (const error of task.Retry?.[0]?.ErrorEquals ?? []) expect(error, name).toMatch(/^Lambda\.\w+Exception$/);
    }
  });

  test('nothing a step does or fails to do ends an execution: only Succeed states end it, and only the outcome leads there', () => {
    for (const [name, state] of Object.entries(states)) {
      expect(['Task', 'Pass', 'Wait', 'Choice', 'Succeed'], name).toContain(state.Type);
      expect(state, name).not.toHaveProperty('End');
      if (state.Type === 'Choice') expect(state.Default, name).toBeDefined();
    }
    const endings = Object.entries(states).filter(([, { Type }]) => Type === 'Succeed');
    const before = (end: string) => Object.keys(states).filter((name) => nextOf(states[name]).includes(end));
    expect(Object.fromEntries(endings.map(([end]) => [end, before(end)]))).toEqual({
      Complete: ['Is it complete?'],
      Ended: ['Is it complete?'],
      Continued: ['Continue as a new execution'],
    });
  });

  test('its history stays below 25,000 events, even if every step of every round was retried as often as it may be', () => {
    // Entered and exited; a task also scheduled, started and succeeded or failed, for each attempt.
    const events = (name: string) => {
      const { Type, Retry = [] } = states[name] as State;
      const attempts = Type === 'Task' ? 1 + Retry.reduce((sum, { MaxAttempts }) => sum + MaxAttempts, 0) : 0;
      return 2 + 3 * attempts;
    };
    const round = [WAIT_AN_HOUR, 'Check', 'Is it complete?', 'Redrive', 'Count the check', 'Is the history full?'];
    for (const [index, name] of round.entries()) expect(nextOf(states[name])).toContain(round[(index + 1) % round.length]);
    const sum = (names: readonly string[]) => names.reduce((total, name) => total + events(name), 0);
    const whole =
      2 + sum(['Begin', 'Prepare']) + limits.freshChecksPerExecution * sum(round) + sum(['Continue as a new execution', 'Continued']);
    expect(sum(round)).toBe(36);
    // Room for two days in which the next execution cannot be started.
    expect(whole + 48 * (sum(round) + events('Continue as a new execution'))).toBeLessThan(25_000);
  });
});

function nextOf(state: State | undefined): string[] {
  const { Next, Default, Choices = [], Catch = [] } = state ?? { Type: '' };
  return [Next, Default, ...Choices.map((choice) => choice.Next), ...Catch.map((one) => one.Next)].filter((next) => next !== undefined);
}

type Step = (request: FreshRunRequest) => unknown;

/** Thrown by a step: the function's payload when it fails. */
class Failure {
  readonly errorType: string;
  constructor(errorType: string) {
    this.errorType = errorType;
  }
}

let worlds = 0;
const RUN = '01890000-0000-7000-8000-000000000001';

/** Executions of the machine with a function that answers what `step` says. `perExecution`: checks in one of them. */
function world(step: Step, perExecution?: number) {
  const dir = join(folder, `world-${(worlds += 1)}`);
  mkdirSync(dir);
  const text = JSON.stringify(machine?.definition);
  const limited =
    perExecution === undefined ? text : text.replace(`$.check, ${limits.freshChecksPerExecution})`, `$.check, ${perExecution})`);
  expect(limited === text).toBe(perExecution === undefined);
  const asked: FreshRunRequest[] = [];
  const logs: string[] = [];
  const state = new StateFile(dir);
  const executions = new Executions({
    machines: [{ name: 'fresh', arn: machine?.arn ?? '', definition: JSON.parse(limited) as never, permissions: null }],
    state,
    functions: {
      invoke: (name, event) => {
        expect(name).toBe('storeline-demo-fresh-run');
        const request = freshRunRequestSchema.parse(JSON.parse(event));
        asked.push(request);
        const answer = step(request);
        const result =
          answer instanceof Failure
            ? { ok: false as const, error: { errorType: answer.errorType, errorMessage: 'told to' } }
            : { ok: true as const, payload: JSON.stringify(answer) };
        return Promise.resolve({ requestId: 'r', result });
      },
    },
    waits: { [WAIT_AN_HOUR]: 1 },
    onTransition: () => {},
    log: (line) => logs.push(line),
  });
  const start = () =>
    executions.start({ machineArn: machine?.arn ?? '', name: RUN, input: JSON.stringify({ storeId: 'S1', runId: RUN, check: 0 }) });
  const over = async (arn: string) => {
    await expect.poll(() => executions.describe(arn).status, { timeout: 20_000, interval: 5 }).not.toBe('RUNNING');
    return executions.describe(arn).status;
  };
  const visited = (arn: string) =>
    executions
      .history(arn)
      .flatMap((event) => ('stateEnteredEventDetails' in event ? [(event['stateEnteredEventDetails'] as { name: string }).name] : []));
  const close = async () => {
    await executions.close();
    state.close();
  };
  return { executions, asked, logs, start, over, visited, close };
}

const BEGIN = ['Begin', 'Prepare'];
const ROUND = [WAIT_AN_HOUR, 'Check', 'Is it complete?', 'Redrive', 'Count the check', 'Is the history full?'];
const LAST = [WAIT_AN_HOUR, 'Check', 'Is it complete?'];

/** A step that prepares and re-drives without trouble; `outcome` answers the checks, by their number. */
const checks =
  (outcome: (check: number) => unknown): Step =>
  ({ step, check }) =>
    step === 'check' ? outcome(check) : { outcome: 'INCOMPLETE' };

describe('the paths it takes', () => {
  test.each<[string, Step, string[]]>([
    ['complete at the first check', checks(() => ({ outcome: 'COMPLETE' })), [...BEGIN, ...LAST, 'Complete']],
    [
      'three times incomplete, then complete',
      checks((check) => ({ outcome: check < 3 ? 'INCOMPLETE' : 'COMPLETE' })),
      [...BEGIN, ...ROUND, ...ROUND, ...ROUND, ...LAST, 'Complete'],
    ],
    ['cancelled', checks(() => ({ outcome: 'CANCELLED' })), [...BEGIN, ...LAST, 'Ended']],
    ['superseded', checks(() => ({ outcome: 'SUPERSEDED' })), [...BEGIN, ...LAST, 'Ended']],
    [
      'a check that fails is one that found nothing out',
      checks((check) => (check < 2 ? new Failure('SyncError') : { outcome: 'COMPLETE' })),
      [...BEGIN, ...[1, 2].flatMap(() => [WAIT_AN_HOUR, 'Check', 'Count the check', 'Is the history full?']), ...LAST, 'Complete'],
    ],
    [
      'a redrive that fails comes again after the next check',
      ({ step, check }) => (step === 'redrive' ? new Failure('Sandbox.Timedout') : { outcome: check < 1 ? 'INCOMPLETE' : 'COMPLETE' }),
      [...BEGIN, ...ROUND, ...LAST, 'Complete'],
    ],
    [
      'what cannot be prepared is checked all the same',
      ({ step }) => (step === 'prepare' ? new Failure('Runtime.ExitError') : { outcome: 'COMPLETE' }),
      [...BEGIN, ...LAST, 'Complete'],
    ],
    [
      'an answer without an outcome is incomplete',
      checks((check) => (check < 1 ? {} : { outcome: 'COMPLETE' })),
      [...BEGIN, ...ROUND, ...LAST, 'Complete'],
    ],
    ['so is no answer', checks((check) => (check < 1 ? null : { outcome: 'COMPLETE' })), [...BEGIN, ...ROUND, ...LAST, 'Complete']],
    [
      'and an outcome nobody knows',
      checks((check) => ({ outcome: check < 1 ? 'PERHAPS' : 'COMPLETE' })),
      [...BEGIN, ...ROUND, ...LAST, 'Complete'],
    ],
  ])('%s', async (_, step, path) => {
    const { start, over, visited, close } = world(step);
    const { arn } = start();
    expect(await over(arn)).toBe('SUCCEEDED');
    expect(visited(arn)).toEqual(path);
    await close();
  });

  test('each step is told which, of what, and how many checks there were', async () => {
    const { asked, start, over, close } = world(checks((check) => ({ outcome: check < 2 ? 'INCOMPLETE' : 'COMPLETE' })));
    await over(start().arn);
    const told = (step: string, check: number) => ({ step, storeId: 'S1', runId: RUN, check });
    expect(asked).toEqual([
      told('prepare', 0),
      told('check', 0),
      told('redrive', 0),
      told('check', 1),
      told('redrive', 1),
      told('check', 2),
    ]);
    await close();
  });

  test('a full history goes on as a new execution, which counts on, and again', async () => {
    const { executions, asked, start, over, visited, close } = world(
      checks((check) => ({ outcome: check < 5 ? 'INCOMPLETE' : 'COMPLETE' })),
      2,
    );
    const { arn } = start();
    expect(await over(arn)).toBe('SUCCEEDED');
    for (const part of [2, 4]) expect(await over(`${arn}-${part}`)).toBe('SUCCEEDED');
    const handedOn = [...BEGIN, ...ROUND, ...ROUND, 'Continue as a new execution', 'Continued'];
    expect([arn, `${arn}-2`, `${arn}-4`].map((one) => visited(one))).toEqual([
      handedOn,
      handedOn,
      [...BEGIN, ...ROUND, ...LAST, 'Complete'],
    ]);
    expect(asked.filter(({ step }) => step === 'check').map(({ check }) => check)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(executions.list(machine?.arn ?? '')).toHaveLength(3);
    await close();
  });

  test('an operator stops it, and it asks for nothing more', async () => {
    const { executions, asked, start, visited, close } = world(checks(() => ({ outcome: 'INCOMPLETE' })));
    const { arn } = start();
    await expect.poll(() => asked.length, { timeout: 20_000 }).toBeGreaterThan(5);
    expect(await executions.stop(arn, { error: 'Cancelled', cause: 'by Ada' })).toMatchObject({ status: 'ABORTED', error: 'Cancelled' });
    const { length } = asked;
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(asked).toHaveLength(length);
    expect(executions.describe(arn)).toMatchObject({ status: 'ABORTED', cause: 'by Ada' });
    expect(visited(arn)).not.toContain('Complete');
    await close();
  });
});

/**
 * Which error name is caught by which catcher, as the interpreter does it. Decision 0014 holds this against what the service
 * documents; the definition relies only on the first column.
 */
describe('how the interpreter matches the name of an error', () => {
  const caught = async (thrown: string, catcher: string) => {
    const one = {
      StartAt: 'Try',
      States: {
        Try: {
          Type: 'Task',
          Resource: 'arn:aws:lambda:eu-west-2:000000000000:function:f',
          TimeoutSeconds: 1,
          Catch: [{ ErrorEquals: [catcher], Next: 'Caught' }],
          Next: 'Done',
        },
        Caught: { Type: 'Pass', Result: 'caught', End: true },
        Done: { Type: 'Succeed' },
      },
    };
    const fail = () =>
      thrown === 'States.Timeout' ? new Promise<never>(() => {}) : Promise.reject(Object.assign(new Error('told to'), { name: thrown }));
    const overrides = { taskResourceLocalHandlers: { Try: fail } };
    return (await new StateMachine(one as never).run({}, { overrides }).result.catch(() => 'failed')) === 'caught';
  };

  test.each([
    // thrown, States.ALL, States.TaskFailed, its own name, another name, its own in small letters
    ['SyncError', true, true, true, false, false],
    ['Lambda.TooManyRequestsException', true, true, true, false, false],
    ['Lambda.Unknown', true, true, true, false, false],
    ['Sandbox.Timedout', true, true, true, false, false],
    ['States.Timeout', true, false, true, false, false],
  ])('%s', async (thrown, all, taskFailed, own, other, small) => {
    const seen = await Promise.all(
      ['States.ALL', 'States.TaskFailed', thrown, 'Other', thrown.toLowerCase()].map((catcher) => caught(thrown, catcher)),
    );
    expect(seen).toEqual([all, taskFailed, own, other, small]);
  });

  test('a path that leads nowhere is an error that nothing catches', async () => {
    const one = {
      StartAt: 'Try',
      States: {
        Try: {
          Type: 'Task',
          Resource: 'arn:aws:lambda:eu-west-2:000000000000:function:f',
          TimeoutSeconds: 1,
          Parameters: { 'a.$': '$.a' },
          Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Done' }],
          Next: 'Done',
        },
        Done: { Type: 'Succeed' },
      },
    };
    const overrides = { taskResourceLocalHandlers: { Try: () => 1 } };
    await expect(new StateMachine(one as never).run({}, { overrides }).result).rejects.toThrow(/does not point to a value/);
  });
});
