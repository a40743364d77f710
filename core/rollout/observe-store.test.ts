import { expect, test } from 'vitest';
import type { Replica } from '../ports/store-registry.ts';
import { startRun } from '../runs/run.ts';
import type { Trial } from '../../protocol/rollout.ts';
import type { ComponentRun, Run } from '../../protocol/runs.ts';
import { DEFAULT_STORE_SETTINGS } from '../../protocol/store-settings.ts';
import { observeStore, windowsOf } from './observe-store.ts';

const HOUR = 3_600_000;
const START = Date.parse('2026-11-28T10:00:00.000Z');
const at = (hours: number) => new Date(START + hours * HOUR).toISOString();
const trial: Trial = {
  state: 'CANARY',
  revision: 7,
  inForce: DEFAULT_STORE_SETTINGS,
  candidate: { ...DEFAULT_STORE_SETTINGS, syncMinutes: 5 },
  canary: { stores: ['S1'], hours: 4 },
  begunAt: at(0),
  startedAt: at(0),
};
const replica = (more: Partial<Replica> = {}): Replica => ({
  replicaId: 'S1:r',
  storeId: 'S1',
  publicKey: { kty: 'EC', crv: 'P-256', x: '', y: '' },
  status: 'ACTIVE',
  enrolledAt: at(-99),
  ...more,
});
const component = (issues: number, more: Partial<ComponentRun> = {}): ComponentRun => ({
  component: 'Customer',
  direction: 'UP',
  status: issues > 0 ? 'COMPLETED_WITH_ISSUES' : 'COMPLETED',
  phase: null,
  done: 0,
  total: 0,
  issues,
  reason: null,
  retryable: false,
  blockedBy: null,
  resumeAfter: null,
  ...more,
});
const run = (hours: number, more: Partial<Run> = {}): Run => ({
  ...startRun({
    runId: `r${hours}`,
    replicaId: 'S1:r',
    kind: 'delta',
    trigger: 'SCHEDULE',
    startedAt: at(hours),
    commandId: null,
    declaredThrough: 0,
  }),
  state: 'COMPLETED',
  ...more,
});
const failed = (hours: number, more: Partial<Run> = {}) => run(hours, { state: 'FAILED', ...more });

function observe(runs: Run[], { hours = 2, replicas = [replica()], differences = [] as number[], of = trial } = {}) {
  return observeStore({ storeId: 'S1', replicas, runs, differences }, of, { now: START + hours * HOUR, hourMs: HOUR });
}

test('the two windows are as long as each other, at most as long as it takes, and touch only at first', () => {
  const hours = (now: number, of = trial) => {
    const { before, now: newest } = windowsOf(of, { now: START + now * HOUR, hourMs: HOUR });
    return [before.from, before.to, newest.from, newest.to].map((ms) => (ms - START) / HOUR);
  };
  expect(hours(1)).toEqual([-1, 0, 0, 1]);
  expect(hours(9)).toEqual([-4, 0, 5, 9]);
  // After it was resumed at 20 h.
  expect(hours(21, { ...trial, startedAt: at(20) })).toEqual([-1, 0, 20, 21]);
});

test('failed runs count once in a quarter of an hour, in the window that they are of', () => {
  const runs = [failed(-3), failed(-1.9), failed(0.01), failed(0.02), failed(0.2), failed(0.3), run(0.6), failed(1.99), failed(2)];
  const { before, now } = observe(runs);
  expect([before.failedRuns, now.failedRuns]).toEqual([1, 3]);
});

test('when a run was is said by head office’s clock', () => {
  const { before, now } = observe([failed(1), failed(3)], { replicas: [replica({ skewMs: 1.5 * HOUR })] });
  expect([before.failedRuns, now.failedRuns]).toEqual([1, 1]);
});

test('issues count when they come: what was open stays open, and is no more than before', () => {
  const issues = (hours: number, count: number, more: Partial<ComponentRun> = {}) => run(hours, { components: [component(count, more)] });
  const old = observe([issues(-1.5, 3), issues(-1, 4), issues(0.5, 4), issues(1, 4)]);
  expect([old.before.issues, old.now.issues]).toEqual([1, 0]);
  const grown = observe([issues(-1.5, 3), issues(0.5, 5), issues(0.6, 0), issues(1, 2), issues(1.2, 9, { direction: 'DOWN' })]);
  expect([grown.before.issues, grown.now.issues]).toEqual([0, 4]);
  // A run that did not get so far knows of none.
  const cut = observe([issues(-1, 3), issues(0.5, 0, { status: 'FAILED' }), issues(1, 3)]);
  expect(cut.now.issues).toBe(0);
});

test('differences are counted where they were found', () => {
  const { before, now } = observe([], { differences: [-3, -1, 1, 1.5].map((hours) => START + hours * HOUR) });
  expect([before.differences, now.differences]).toEqual([1, 2]);
});

test.each<[string, Replica[], Run[], string]>([
  ['nobody enrolled', [], [], 'SILENT'],
  ['not heard of since', [replica({ heardAt: at(-1) })], [run(-1)], 'SILENT'],
  ['heard of, and told nothing yet', [replica({ heardAt: at(1) })], [], 'HEARD'],
  ['a run of it is known, which failed before a plan', [replica()], [failed(1)], 'HEARD'],
  ['told and not synced', [replica({ told: { revision: 7, at: at(1), syncedAt: null } })], [], 'HEARD'],
  ['synced with an earlier trial only', [replica({ heardAt: at(1), told: { revision: 5, at: at(-2), syncedAt: at(-1) } })], [], 'HEARD'],
  ['synced', [replica({ told: { revision: 7, at: at(1), syncedAt: at(1) } })], [], 'SYNCED'],
  [
    'one of two has',
    [
      replica({ told: { revision: 7, at: at(1), syncedAt: at(1) } }),
      replica({ replicaId: 'S1:s', told: { revision: 7, at: at(1), syncedAt: null } }),
    ],
    [],
    'HEARD',
  ],
  [
    'the other one goes on as this one',
    [
      replica({ told: { revision: 7, at: at(0), syncedAt: null } }),
      replica({ replicaId: 'S1:s', forkedFrom: 'S1:r', heardAt: at(1), told: { revision: 7, at: at(1), syncedAt: at(1) } }),
    ],
    [],
    'SYNCED',
  ],
  [
    'the other one is revoked',
    [replica({ told: { revision: 7, at: at(1), syncedAt: at(1) } }), replica({ replicaId: 'S1:s', heardAt: at(1), status: 'REVOKED' })],
    [],
    'SYNCED',
  ],
])('how a store stands: %s', (_, replicas, runs, standing) => {
  expect(observe(runs, { replicas }).standing).toBe(standing);
});
