import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { COMPONENT_NAMES, type ComponentName, type Edition } from '../../protocol/catalogue/types.ts';
import { componentStatus, components } from '../../protocol/catalogue/catalogue.ts';
import { errorCodes, type ErrorCodeName } from '../../protocol/error-codes.ts';
import {
  COMPONENT_STATUSES,
  FAILURE_REASONS,
  RUN_DIRECTIONS,
  RUN_PHASES,
  RUN_STATES,
  type ComponentStatus,
  type Run,
  isOver,
  reasonTexts,
  runSchema,
  statusTexts,
} from '../../protocol/runs.ts';
import { AFTER, type ComponentEvent, type ComponentEventType, afterEvent, isTerminal } from './component-status.ts';
import { etaMs, percentOf, rollUp } from './roll-up.ts';
import { RUN_AFTER, applyEvent, cancelRun, failRun, failureReason, pauseRun, planRun, startRun } from './run.ts';

const AT = '2026-11-23T10:00:00.000Z';
const planned = (edition: Edition) =>
  components.map((component) => ({ component: component.name, status: componentStatus(component, edition), feeds: [] }));
const begun = (kind: Run['kind'] = 'fresh', only: ComponentName[] = []): Run =>
  planRun(
    startRun({
      runId: '01890000-0000-7000-8000-000000000001',
      replicaId: 'S1:r',
      kind,
      trigger: 'LOGON',
      startedAt: AT,
      commandId: null,
      declaredThrough: 0,
    }),
    { components: planned('core'), only },
    AT,
  );

const event: fc.Arbitrary<ComponentEvent> = fc.oneof(
  fc.record({ type: fc.constant('BEGIN' as const), phase: fc.constantFrom(...RUN_PHASES) }),
  fc.record({
    type: fc.constant('PROGRESS' as const),
    phase: fc.constantFrom(...RUN_PHASES),
    done: fc.nat(1_000),
    total: fc.option(fc.nat(1_000)),
  }),
  fc.record({ type: fc.constant('PAUSE' as const), resumeAfter: fc.constant(null), reason: fc.constantFrom(null, ...FAILURE_REASONS) }),
  fc.record({ type: fc.constant('COMPLETE' as const), changes: fc.nat(2), issues: fc.nat(1) }),
  fc.record({ type: fc.constant('FAIL' as const), reason: fc.constantFrom(...FAILURE_REASONS), retryable: fc.boolean() }),
  fc.record({ type: fc.constant('CANCEL' as const) }),
);
const step = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({ component: fc.constantFrom(...COMPONENT_NAMES), direction: fc.constantFrom(...RUN_DIRECTIONS), event }),
  },
  { weight: 1, arbitrary: fc.constantFrom('pause', 'fail', 'cancel') },
);

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

function walk(run: Run, one: Step): Run {
  if (one === 'pause') return pauseRun(run, { code: 'CONNECTIVITY', resumeAfter: AT }, AT);
  if (one === 'fail') return failRun(run, { code: 'STORAGE_FULL', message: 'full' }, AT);
  return one === 'cancel' ? cancelRun(run, AT) : applyEvent(run, one, AT);
}

describe('a run', () => {
  it('INV-44: has exactly one status for each component and direction, whatever happens, and what is over stays as it is', () => {
    fc.assert(
      fc.property(fc.constantFrom('fresh', 'delta', 'manual'), fc.array(step, { maxLength: 80 }), (kind, steps) => {
        let run = begun(kind);
        const names = run.components.map(({ component, direction }) => `${component} ${direction}`);
        expect(new Set(names).size).toBe(names.length);
        for (const one of steps) {
          const before = run;
          run = walk(run, one);
          expect(run.components.map(({ component, direction }) => `${component} ${direction}`)).toEqual(names);
          for (const [index, { status, done }] of before.components.entries()) {
            if (isTerminal(status)) expect(run.components[index]).toEqual(before.components[index]);
            expect(run.components[index]?.done).toBeGreaterThanOrEqual(done);
          }
          if (isOver(before)) expect(run).toBe(before);
          expect(isOver(run)).toBe(run.finishedAt !== null);
          expect(runSchema.parse(run)).toEqual(run);
        }
      }),
    );
  });

  it('reaches every status, every state and every edge between states that is listed, and none that is not', () => {
    const statuses = new Set<ComponentStatus>();
    const states = new Set<Run['state']>();
    const edges = new Set<string>();
    const see = (run: Run) => {
      states.add(run.state);
      for (const { status } of run.components) statuses.add(status);
    };
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 30 }), fc.boolean(), (steps, manual) => {
        // One component, so that the run itself gets to its end by events.
        let run = manual ? begun('manual', ['Fraud Users List']) : begun();
        see(run);
        for (const one of steps) {
          const before = run;
          see((run = walk(run, typeof one === 'object' && manual ? { ...one, component: 'Fraud Users List', direction: 'DOWN' } : one)));
          edges.add(`${before.state} ${run.state}`);
        }
      }),
      { numRuns: 500, seed: 7 },
    );
    expect([...statuses].sort()).toEqual([...COMPONENT_STATUSES].sort());
    expect([...states].sort()).toEqual([...RUN_STATES].sort());
    const listed = RUN_STATES.flatMap((before) => RUN_STATES.flatMap((after) => (RUN_AFTER[before][after] ? [`${before} ${after}`] : [])));
    expect([...edges].sort()).toEqual(listed.sort());
  });

  it('every cell of the table is what happens', () => {
    const [first] = begun().components;
    if (first === undefined) throw new Error('a run has components');
    const events: Record<ComponentEventType, ComponentEvent> = {
      BEGIN: { type: 'BEGIN', phase: 'APPLY' },
      PROGRESS: { type: 'PROGRESS', phase: 'APPLY', done: 1, total: 2 },
      PAUSE: { type: 'PAUSE', resumeAfter: null, reason: null },
      COMPLETE: { type: 'COMPLETE', changes: 1, issues: 0 },
      FAIL: { type: 'FAIL', reason: 'SERVER', retryable: true },
      CANCEL: { type: 'CANCEL' },
    };
    for (const status of COMPONENT_STATUSES)
      for (const type of Object.keys(events) as ComponentEventType[]) {
        const before = { ...first, status };
        const cell = AFTER[status][type];
        const after = afterEvent(before, events[type]);
        if (cell === null) expect(after).toBe(before);
        else expect(after.status).toBe(cell === 'COMPLETION' ? 'COMPLETED' : cell);
      }
  });

  it('shows what is not used or not enabled and never moves it; the rest waits for the first three', () => {
    const run = begun();
    const of = (component: ComponentName) => run.components.filter((one) => one.component === component);
    expect(of('Inventory Master').map(({ status, direction }) => [status, direction])).toEqual([['NOT_USED', 'DOWN']]);
    expect(of('Tasks').map(({ status }) => status)).toEqual(['NOT_ENABLED', 'NOT_ENABLED']);
    expect(of('Fraud Users List').map(({ status }) => status)).toEqual(['QUEUED']);
    expect(of('Customer').map(({ status, direction }) => [direction, status])).toEqual([
      ['UP', 'QUEUED'],
      ['DOWN', 'QUEUED'],
    ]);
    expect(of('Custom Fields').at(-1)).toMatchObject({ status: 'BLOCKED', blockedBy: 'Customer' });
    expect(run.components.slice(0, 2).map(({ component }) => component)).toEqual(['Fraud Users List', 'Voucher Series']);
    // Planned once.
    expect(planRun(run, { components: planned('clienteling') }, AT)).toBe(run);
  });

  it('rolls up as the domain page says', () => {
    const rolled = (...statuses: ComponentStatus[]) => {
      const [first] = begun().components;
      if (first === undefined) throw new Error('a run has components');
      return rollUp(statuses.map((status) => ({ ...first, status })));
    };
    expect(rolled('COMPLETED', 'FAILED', 'QUEUED')).toBe('RUNNING');
    expect(rolled('COMPLETED', 'PAUSED')).toBe('PAUSED');
    expect(rolled('FAILED', 'COMPLETED_WITH_ISSUES', 'COMPLETED')).toBe('FAILED');
    expect(rolled('COMPLETED_WITH_ISSUES', 'COMPLETED_NO_CHANGES')).toBe('COMPLETED_WITH_ISSUES');
    expect(rolled('COMPLETED', 'COMPLETED_NO_CHANGES', 'NOT_USED')).toBe('COMPLETED');
    expect(rolled('COMPLETED_NO_CHANGES', 'NOT_ENABLED')).toBe('COMPLETED_NO_CHANGES');
    expect(rolled('COMPLETED', 'CANCELLED')).toBe('CANCELLED');
    expect(rolled()).toBe('RUNNING');
    for (const status of ['NOT_USED', 'NOT_ENABLED'] as const)
      for (const other of COMPONENT_STATUSES.filter((one) => one !== 'NOT_USED' && one !== 'NOT_ENABLED'))
        expect(rolled(other, status)).toBe(rolled(other));
  });

  it('knows how far it is and when it will be there', () => {
    let run = begun('manual', ['Fraud Users List']);
    expect(percentOf(run)).toBeNull();
    // Nothing in it is for this store.
    expect(begun('manual', ['Stores'])).toMatchObject({ state: 'COMPLETED_NO_CHANGES', finishedAt: AT });
    run = applyEvent(
      begun(),
      { component: 'Customer', direction: 'DOWN', event: { type: 'PROGRESS', phase: 'APPLY', done: 25, total: 100 } },
      AT,
    );
    expect(percentOf(run)).toBe(25);
    expect(etaMs(run, Date.parse(AT) + 1_000)).toBe(3_000);
    expect(etaMs(begun(), Date.parse(AT))).toBeNull();
    // A hundred is said when it is over and not before.
    run = applyEvent(
      run,
      { component: 'Customer', direction: 'DOWN', event: { type: 'PROGRESS', phase: 'APPLY', done: 100, total: 100 } },
      AT,
    );
    expect(percentOf(run)).toBe(99);
    expect(percentOf(cancelRun(run, AT))).toBe(100);
  });

  it('every error has a reason, every reason an error, and everything a text', () => {
    const reasons = (Object.keys(errorCodes) as ErrorCodeName[]).map((code) => failureReason(code).reason);
    expect([...new Set(reasons)].sort()).toEqual([...FAILURE_REASONS].sort());
    for (const text of [...Object.values(statusTexts), ...Object.values(reasonTexts)]) expect(text.means).toMatch(/\.$/);
  });
});
