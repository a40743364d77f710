import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Measure, Rollout } from '../../protocol/rollout.ts';
import { DEFAULT_STORE_SETTINGS, type StoreSettings } from '../../protocol/store-settings.ts';
import { actOnRollout, decideRollout, risesOf, waitsFor } from './decide-rollout.ts';
import type { Counts, Observation } from './observe-store.ts';
import { isSameSettings, settingsFor } from './settings-for-store.ts';

const HOUR = 3_600_000;
const START = Date.parse('2026-11-28T10:00:00.000Z');
const canary = { stores: ['S1', 'S2'], hours: 2 };
const NONE: Counts = { failedRuns: 0, issues: 0, differences: 0 };
const old = DEFAULT_STORE_SETTINGS;
const candidate: StoreSettings = { ...old, syncMinutes: 5 };
const other: StoreSettings = { ...old, agentVersion: '2.0.0' };

function seen(
  storeId: string,
  standing: Observation['standing'],
  more: { now?: Partial<Counts>; before?: Partial<Counts> } = {},
): Observation {
  return { storeId, standing, now: { ...NONE, ...more.now }, before: { ...NONE, ...more.before } };
}

const decide = (
  before: Rollout | null,
  settings: StoreSettings,
  at = START,
  observations: Observation[] = [],
  stores: typeof canary | undefined = canary,
) => decideRollout(before, { deployed: { settings, canary: stores }, observations }, { now: at, hourMs: HOUR });

const everywhere = decide(null, old);
const onTrial = decide(everywhere, candidate);
const stopped = decide(onTrial, candidate, START + HOUR, [seen('S1', 'SYNCED', { now: { differences: 1 } }), seen('S2', 'SILENT')]);

describe('what is deployed', () => {
  test('first of all is in force, and stays as it is', () => {
    expect(everywhere).toMatchObject({ state: 'EVERYWHERE', revision: 1, inForce: old });
    expect(decide(everywhere, old, START + HOUR)).toBe(everywhere);
  });

  test('goes to canary stores first, or everywhere where there are none', () => {
    expect(onTrial).toMatchObject({ state: 'CANARY', revision: 2, inForce: old, candidate, canary });
    const at = new Date(START).toISOString();
    expect(
      decideRollout(everywhere, { deployed: { settings: candidate, canary: undefined }, observations: [] }, { now: START, hourMs: HOUR }),
    ).toEqual({
      state: 'EVERYWHERE',
      revision: 2,
      inForce: candidate,
      since: at,
    });
  });

  test('instead of a candidate is another trial; what is in force again ends it, on trial or stopped', () => {
    for (const before of [onTrial, stopped]) {
      expect(decide(before, other, START + HOUR)).toMatchObject({
        state: 'CANARY',
        candidate: other,
        inForce: old,
        startedAt: new Date(START + HOUR).toISOString(),
      });
      expect(decide(before, old, START + HOUR)).toMatchObject({ state: 'EVERYWHERE', inForce: old });
    }
    // Other canary stores begin anew; what is stopped is not begun again by them.
    const stores = { stores: ['S3'], hours: 2 };
    expect(decide(onTrial, candidate, START + HOUR, [], stores)).toMatchObject({ state: 'CANARY', canary: stores });
    expect(decide(stopped, candidate, START + HOUR, [], stores)).toBe(stopped);
  });
});

describe('INV-57: a candidate', () => {
  const end = START + canary.hours * HOUR;

  test('goes everywhere at the end of its time and not before', () => {
    const fine = [seen('S1', 'SYNCED'), seen('S2', 'SILENT')];
    expect(decide(onTrial, candidate, end - 1, fine)).toBe(onTrial);
    expect(decide(onTrial, candidate, end, fine)).toMatchObject({ state: 'EVERYWHERE', inForce: candidate });
  });

  test('waits for whoever was heard of, and for anybody at all', () => {
    for (const some of [
      [seen('S1', 'SYNCED'), seen('S2', 'HEARD')],
      [seen('S1', 'SILENT'), seen('S2', 'SILENT')],
    ]) {
      expect(decide(onTrial, candidate, end + 99 * HOUR, some)).toBe(onTrial);
      if (onTrial.state === 'CANARY') expect(waitsFor(onTrial, some, { now: end, hourMs: HOUR })).toHaveLength(1);
    }
  });

  test.each<[Measure, number, number]>([
    ['failedRuns', 0, 2],
    ['failedRuns', 4, 10],
    ['issues', 0, 5],
    ['issues', 3, 11],
    ['differences', 0, 0],
    ['differences', 2, 2],
  ])('stops when %s, %d before, are more than %d, in all canary stores together', (measure, before, most) => {
    const at = (now: number) => [seen('S1', 'SYNCED', { now: { [measure]: now }, before: { [measure]: before } }), seen('S2', 'SYNCED')];
    expect(decide(onTrial, candidate, end, at(most))).toMatchObject({ state: 'EVERYWHERE' });
    const after = decide(onTrial, candidate, START + 1, at(most + 1));
    expect(after).toMatchObject({ state: 'STOPPED', stoppedBy: null, rises: [{ measure, before, now: most + 1, limit: most }] });
    expect(decide(after, candidate, end + HOUR, [seen('S1', 'SYNCED')])).toBe(after);
  });
});

test('what a person decides', () => {
  const by = { by: 'ann', reason: 'because', now: START + HOUR };
  const after = (before: Rollout | null, act: Parameters<typeof actOnRollout>[1]) => {
    const verdict = actOnRollout(before, act, by);
    return verdict.kind === 'allowed' ? verdict.after : verdict.why;
  };
  expect(after(onTrial, 'STOP')).toMatchObject({ state: 'STOPPED', revision: 3, stoppedBy: 'ann', reason: 'because', rises: [] });
  const resumed = after(stopped, 'RESUME') as Rollout;
  // Its time begins anew, and what it is compared with is as it was.
  expect(resumed).toMatchObject({
    state: 'CANARY',
    revision: 4,
    startedAt: new Date(by.now).toISOString(),
    begunAt: new Date(START).toISOString(),
  });
  expect(resumed).not.toHaveProperty('stoppedAt');
  for (const before of [onTrial, stopped]) expect(after(before, 'FINISH')).toMatchObject({ state: 'EVERYWHERE', inForce: candidate });
  expect(after(onTrial, 'RESUME')).toContain('under way');
  expect(after(stopped, 'STOP')).toContain('stopped already');
  for (const act of ['STOP', 'RESUME', 'FINISH'] as const)
    for (const before of [null, everywhere]) expect(after(before, act)).toContain('nothing');
});

/** Deployments, acts and looks in any order, over stores that do well or badly. */
const counts = fc.record({ failedRuns: fc.nat(4), issues: fc.nat(7), differences: fc.nat(1) });
const observation = (storeId: string) =>
  fc
    .record({ standing: fc.constantFrom<Observation['standing']>('SILENT', 'HEARD', 'SYNCED'), now: counts, before: counts })
    .map((one) => ({ storeId, ...one }));
const step = fc.oneof(
  { weight: 2, arbitrary: fc.constantFrom(old, candidate, other).map((settings) => ({ what: 'deploy' as const, settings })) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('STOP' as const, 'RESUME' as const, 'FINISH' as const).map((act) => ({ what: 'act' as const, act })),
  },
  {
    weight: 6,
    arbitrary: fc
      .record({ hours: fc.nat(3), well: fc.boolean(), stores: fc.tuple(observation('S1'), observation('S2')) })
      .map((look) => ({ what: 'look' as const, ...look })),
  },
);

interface World {
  readonly deployed: StoreSettings;
  readonly now: number;
  readonly rollout: Rollout;
}
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** What canary stores say at this look. */
const storesAt = (look: Extract<Step, { what: 'look' }>): Observation[] =>
  look.stores.map((store) => (look.well ? { ...store, standing: 'SYNCED', now: NONE } : store));

function afterStep(world: World, one: Step): World {
  const { deployed, rollout } = world;
  if (one.what === 'deploy') return { ...world, deployed: one.settings };
  if (one.what === 'act') {
    const verdict = actOnRollout(rollout, one.act, { by: 'ann', reason: 'because', now: world.now });
    return verdict.kind === 'allowed' ? { ...world, rollout: verdict.after } : world;
  }
  const now = world.now + one.hours * HOUR;
  return { deployed, now, rollout: decide(rollout, deployed, now, rollout.state === 'EVERYWHERE' ? [] : storesAt(one)) };
}

const isEverywhereNow = (before: Rollout, rollout: Rollout) =>
  rollout.state === 'EVERYWHERE' && !isSameSettings(rollout.inForce, before.inForce);

/** By itself: from a trial of just that, after its time, with evidence and without a rise. */
function checkEvidence(before: Rollout, { rollout, now }: World, stores: readonly Observation[]): void {
  if (before.state !== 'CANARY') throw new Error(`it went everywhere from ${before.state}`);
  expect(rollout.inForce).toEqual(before.candidate);
  expect(now - Date.parse(before.startedAt)).toBeGreaterThanOrEqual(canary.hours * HOUR);
  const standings = stores.map(({ standing }) => standing);
  expect(standings).toContain('SYNCED');
  expect(standings).not.toContain('HEARD');
  expect(differences(stores, 'now')).toBeLessThanOrEqual(differences(stores, 'before'));
}

function checkLook(before: Rollout, world: World, stores: readonly Observation[]): void {
  if (isEverywhereNow(before, world.rollout)) checkEvidence(before, world, stores);
  if (before.state === 'EVERYWHERE' || !isSameSettings(world.deployed, before.candidate)) return;
  if (before.state === 'STOPPED') expect(world.rollout).toBe(before);
  else if (world.rollout.state !== 'STOPPED') expect(risesOf(stores)).toEqual([]);
}

/** A store that is no canary: only what went everywhere. A canary: the candidate while it is on trial, and never after a stop. */
function checkTold(before: Rollout, { rollout }: World): void {
  expect(settingsFor('S9', rollout)).toEqual(rollout.inForce);
  if (rollout.state === 'STOPPED') expect(settingsFor('S1', rollout)).toEqual(rollout.inForce);
  if (rollout.state === 'CANARY') expect(settingsFor('S1', rollout)).toEqual(rollout.candidate);
  if (rollout.state !== 'EVERYWHERE') expect(rollout.inForce).toEqual(before.inForce);
  // Whoever changed it is known by the revision, and nobody else's is taken for it.
  expect(rollout.revision - before.revision).toBe(rollout === before ? 0 : 1);
}

test('INV-56, INV-57: whatever happens, others have what went everywhere, and nothing goes everywhere without evidence or somebody’s word', () => {
  const met = { everywhere: 0, stopped: 0, finished: 0 };
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      let world: World = { deployed: old, now: START, rollout: decide(null, old) };
      for (const one of steps) {
        const before = world.rollout;
        world = afterStep(world, one);
        if (one.what === 'look') checkLook(before, world, storesAt(one));
        checkTold(before, world);
        if (isEverywhereNow(before, world.rollout)) met[one.what === 'look' ? 'everywhere' : 'finished'] += 1;
        if (one.what === 'look' && before.state === 'CANARY' && world.rollout.state === 'STOPPED') met.stopped += 1;
      }
    }),
    { numRuns: 2_000, seed: 37 },
  );
  // It was not all in vain.
  for (const [what, times] of Object.entries(met)) expect(times, what).toBeGreaterThan(20);
});

function differences(stores: readonly Observation[], when: 'now' | 'before'): number {
  return stores.reduce((total, one) => total + one[when].differences, 0);
}
