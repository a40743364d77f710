import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Run, RUN_KINDS, RUN_STATES, isOver } from '../../protocol/runs.ts';
import { decideStart, isManualOffered, neverTransferred } from './gate.ts';
import { startRun } from './run.ts';

const runOf = (kind: Run['kind'], state: Run['state']): Run => ({
  ...startRun({ runId: '1', replicaId: 'S1:r', kind, trigger: 'LOGON', startedAt: 'x', commandId: null, declaredThrough: 0 }),
  state,
});
const outstanding = [{ component: 'Customer', feed: 'Customer@org', reason: 'NEVER_SYNCED' }] as const;

type Decision = ReturnType<typeof decideStart>;

function expectGated(decision: Decision, { wanted, isComplete }: { wanted: string; isComplete: boolean }) {
  const kind = 'kind' in decision ? decision.kind : null;
  expect(kind === 'delta' && !isComplete).toBe(false);
  if (wanted === 'auto') expect(decision.action).not.toBe('refuse');
  if (wanted === 'delta' && !isComplete) expect(decision).toMatchObject({ action: 'refuse', code: 'FRESH_NOT_COMPLETE' });
}

/** Where somebody works on a run nobody begins another beside it, but in its place when that was asked for. */
function expectAlone(decision: Decision, { live, isHeld, takeOver }: { live: boolean; isHeld: boolean; takeOver: boolean }) {
  if (decision.action === 'start') expect(live).toBe(false);
  if (isHeld) expect(['join', 'wait', 'refuse', ...(takeOver ? ['take-over'] : [])]).toContain(decision.action);
  if (isHeld && decision.action === 'take-over') expect(decision.kind).toBe('manual');
}

it('INV-46: at most one run is under way, and a delta never comes instead of the fresh sync', () => {
  const current = fc.option(fc.record({ kind: fc.constantFrom(...RUN_KINDS), state: fc.constantFrom(...RUN_STATES) }));
  fc.assert(
    fc.property(
      fc.constantFrom('auto' as const, ...RUN_KINDS),
      current,
      fc.constantFrom(null, [], outstanding),
      fc.boolean(),
      fc.boolean(),
      (wanted, given, freshOutstanding, takeOver, isHeld) => {
        const run = given === null ? null : runOf(given.kind, given.state);
        const live = run !== null && !isOver(run);
        const decision = decideStart({ wanted, current: run, freshOutstanding, takeOver }, { isHeld: isHeld && live });
        expectGated(decision, { wanted, isComplete: freshOutstanding?.length === 0 });
        expectAlone(decision, { live, isHeld: isHeld && live, takeOver });
      },
    ),
  );
});

it('a logon joins, an interrupted fresh run is gone on with, and one of another kind takes its place', () => {
  const fresh = runOf('fresh', 'RUNNING');
  expect(decideStart({ wanted: 'auto', current: fresh, freshOutstanding: outstanding }, { isHeld: true })).toEqual({
    action: 'join',
    run: fresh,
  });
  expect(decideStart({ wanted: 'auto', current: fresh, freshOutstanding: outstanding }, { isHeld: false })).toEqual({
    action: 'resume',
    run: fresh,
  });
  expect(decideStart({ wanted: 'auto', current: fresh, freshOutstanding: [] }, { isHeld: false })).toMatchObject({
    action: 'take-over',
    kind: 'delta',
  });
  expect(decideStart({ wanted: 'manual', current: fresh, freshOutstanding: [] }, { isHeld: true })).toMatchObject({ action: 'wait' });
});

it('a manual sync is offered where something did not get there by itself', () => {
  expect(isManualOffered({ last: null, isOverdue: false })).toBe(false);
  expect(isManualOffered({ last: null, isOverdue: true })).toBe(true);
  expect(RUN_STATES.filter((state) => isManualOffered({ last: { kind: 'delta', state }, isOverdue: false }))).toEqual([
    'COMPLETED_WITH_ISSUES',
    'FAILED',
  ]);
});

it('of components that are chosen, one that is never transferred is named; of others nothing is said', () => {
  const planned = [
    { component: 'Customer', status: 'ENABLED' },
    { component: 'Inventory Master', status: 'NOT_USED' },
    { component: 'Tasks', status: 'NOT_ENABLED' },
  ] as const;
  expect(neverTransferred(planned, [])).toBeNull();
  expect(neverTransferred(planned, ['Customer'])).toBeNull();
  expect(neverTransferred(planned, ['Customer', 'Tasks'])).toMatchObject({ code: 'COMPONENT_NOT_ENABLED' });
  expect(neverTransferred(planned, ['Inventory Master'])).toMatchObject({ code: 'COMPONENT_NOT_USED' });
});
