import { limits } from '../../protocol/limits.ts';
import { type Canary, MEASURES, type Measure, type Rise, type Rollout, type Trial, measureTexts } from '../../protocol/rollout.ts';
import type { StoreSettings } from '../../protocol/store-settings.ts';
import type { Observation } from './observe-store.ts';
import { isSameSettings } from './settings-for-store.ts';

/**
 * What becomes of store settings (INV-56, INV-57): deployed ones that are not in force are a candidate, which canary stores try first. It goes
 * everywhere after its time, if there is evidence that it does no harm, and stops at once if there is evidence that it does.
 *
 * A rollout that stays as it is comes back as it was given.
 */
export interface Deployed {
  readonly settings: StoreSettings;
  readonly canary: Canary | undefined;
}

export interface Time {
  readonly now: number;
  /** An hour, unless one machine shortens it. */
  readonly hourMs: number;
}

/** `observations`: of the canary stores of this rollout; none where there is no trial. */
export function decideRollout(
  before: Rollout | null,
  { deployed, observations }: { readonly deployed: Deployed; readonly observations: readonly Observation[] },
  time: Time,
): Rollout {
  const { settings, canary } = deployed;
  const at = new Date(time.now).toISOString();
  if (before === null) return { state: 'EVERYWHERE', revision: 1, inForce: settings, since: at };
  if (isSameSettings(settings, before.inForce)) return before.state === 'EVERYWHERE' ? before : everywhere(before, before.inForce, at);
  if (canary === undefined) return everywhere(before, settings, at);
  if (before.state === 'EVERYWHERE' || !isSameSettings(settings, before.candidate)) return begun(before, { settings, canary }, at);
  if (before.state === 'STOPPED') return before;
  if (!isSameCanary(canary, before.canary)) return begun(before, { settings, canary }, at);
  const rises = risesOf(observations);
  if (rises.length > 0) {
    const { state: _, ...trial } = before;
    const revision = before.revision + 1;
    return { ...trial, state: 'STOPPED', revision, stoppedAt: at, stoppedBy: null, reason: describeRises(rises), rises };
  }
  return waitsFor(before, observations, time).length === 0 ? everywhere(before, before.candidate, at) : before;
}

/** In words, what a trial still lacks before it goes everywhere; nothing: it does. */
export function waitsFor({ canary, startedAt }: Trial, observations: readonly Observation[], { now, hourMs }: Time): string[] {
  const until = Date.parse(startedAt) + canary.hours * hourMs;
  const waits = now < until ? [`its time, until ${new Date(until).toISOString()}`] : [];
  for (const { storeId, standing } of observations)
    if (standing === 'HEARD') waits.push(`a sync of ${storeId} that ends well with the candidate; it was heard of and has none yet`);
  if (observations.every(({ standing }) => standing === 'SILENT')) waits.push('any canary store at all; none was heard of yet');
  return waits;
}

export function risesOf(observations: readonly Observation[]): Rise[] {
  return MEASURES.flatMap((measure): Rise[] => {
    const sum = (counts: 'before' | 'now') => observations.reduce((total, one) => total + one[counts][measure], 0);
    const [before, now] = [sum('before'), sum('now')];
    const limit = limitOf(measure, before);
    return now > limit ? [{ measure, now, before, limit }] : [];
  });
}

function limitOf(measure: Measure, before: number): number {
  const { times, more } = limits.rolloutRise[measure];
  return times * before + more;
}

function describeRises(rises: readonly Rise[]): string {
  return rises
    .map(({ measure, now, before, limit }) => `${now} ${measureTexts[measure]}, ${before} in as long a time before, and at most ${limit}`)
    .join('; ');
}

function everywhere({ revision }: Rollout, inForce: StoreSettings, since: string): Rollout {
  return { state: 'EVERYWHERE', revision: revision + 1, inForce, since };
}

function begun({ revision, inForce }: Rollout, { settings, canary }: { settings: StoreSettings; canary: Canary }, at: string): Rollout {
  return { state: 'CANARY', revision: revision + 1, inForce, candidate: settings, canary, begunAt: at, startedAt: at };
}

function isSameCanary(a: Canary, b: Canary): boolean {
  return a.hours === b.hours && a.stores.length === b.stores.length && a.stores.every((store) => b.stores.includes(store));
}

export type RolloutAct = 'STOP' | 'RESUME' | 'FINISH';

export type RolloutVerdict =
  | { readonly kind: 'allowed'; readonly after: Rollout }
  /** `why`: what to say to who asked. */
  | { readonly kind: 'refused'; readonly code: 'NOT_FOUND' | 'INVALID_INPUT'; readonly why: string };

/** What a person decides: to stop a trial, to try again what was stopped, to have it everywhere at once. */
export function actOnRollout(
  before: Rollout | null,
  act: RolloutAct,
  { by, reason, now }: { readonly by: string; readonly reason: string; readonly now: number },
): RolloutVerdict {
  if (before === null || before.state === 'EVERYWHERE')
    return { kind: 'refused', code: 'NOT_FOUND', why: 'nothing is being rolled out: all stores have the settings in force' };
  const at = new Date(now).toISOString();
  if (act === 'FINISH') return { kind: 'allowed', after: everywhere(before, before.candidate, at) };
  const { revision, inForce, candidate, canary, begunAt, startedAt } = before;
  const trial = { revision: revision + 1, inForce, candidate, canary, begunAt };
  if (act === 'STOP') {
    if (before.state === 'STOPPED')
      return { kind: 'refused', code: 'INVALID_INPUT', why: `it is stopped already, since ${before.stoppedAt}` };
    return { kind: 'allowed', after: { ...trial, state: 'STOPPED', startedAt, stoppedAt: at, stoppedBy: by, reason, rises: [] } };
  }
  if (before.state === 'CANARY') return { kind: 'refused', code: 'INVALID_INPUT', why: `it is under way, since ${startedAt}` };
  return { kind: 'allowed', after: { ...trial, state: 'CANARY', startedAt: at } };
}
