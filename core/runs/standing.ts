import type { ComponentName } from '../../protocol/catalogue/types.ts';
import type { StandingState } from '../../protocol/runs.ts';

/**
 * Where a component stands, whatever run there was, and what a till may do with it now (the freshness contract): as of
 * when, proved or not, and whether that is recent enough for what it is used for (targets: domain page, section 5).
 */
export interface StandingFacts {
  readonly component: ComponentName;
  /** Head office was asked at least once. */
  readonly wasAsked: boolean;
  /** Every feed of it has a certificate of the history it stands in. */
  readonly isProved: boolean;
  /** Its history was replaced, or it was found to differ. */
  readonly needsResync: boolean;
  /** Head office said that it has more. */
  readonly isBehind: boolean;
  /** Own operations of it that wait for a person. */
  readonly issues: number;
  /** When head office last said what is newest; null: never. */
  readonly askedAt: number | null;
  readonly now: number;
}

export const FRESHNESS = ['GREEN', 'AMBER', 'RED'] as const;
export type Freshness = (typeof FRESHNESS)[number];

export interface Standing {
  readonly state: StandingState;
  readonly freshness: Freshness;
  /** Equal to head office by digest, at the time of its certificate. */
  readonly verified: boolean;
  /** Work may go on with it without a network. */
  readonly safeOffline: boolean;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** The shortest target of what the component holds. Those of a day would otherwise turn red over night. */
const TARGET_MS: Readonly<Record<ComponentName, number>> = {
  'Fraud Users List': HOUR_MS,
  'Voucher Series': 15 * MINUTE_MS,
  Customer: 15 * MINUTE_MS,
  'Custom Fields': 15 * MINUTE_MS,
  Stores: DAY_MS,
  Associates: HOUR_MS,
  'Communication Template': HOUR_MS,
  'Task Metadata': 15 * MINUTE_MS,
  Tasks: 5 * MINUTE_MS,
  Reminders: 5 * MINUTE_MS,
  'Inventory Master': DAY_MS,
  'Customer Attributes': DAY_MS,
  'Store Attributes': DAY_MS,
  'Loyalty Tracker': DAY_MS,
};
/** A sync every quarter of an hour keeps the shortest targets amber at worst. */
const AMBER_FACTOR = 4;

const SAFE: ReadonlySet<StandingState> = new Set<StandingState>(['IN_SYNC', 'BEHIND', 'DEGRADED']);

export function standingOf(facts: StandingFacts): Standing {
  const state = stateOf(facts);
  return { state, freshness: freshnessOf(facts, state), verified: facts.isProved, safeOffline: SAFE.has(state) };
}

function stateOf({ wasAsked, needsResync, isProved, issues, isBehind }: StandingFacts): StandingState {
  if (!wasAsked) return 'NEVER_SYNCED';
  if (needsResync) return 'RESYNC_REQUIRED';
  if (!isProved) return 'INITIALISING';
  if (issues > 0) return 'DEGRADED';
  return isBehind ? 'BEHIND' : 'IN_SYNC';
}

/** Whether a component that head office was asked about `ageMs` ago is older than its target. */
export function isPastTarget(component: ComponentName, ageMs: number): boolean {
  return ageMs > TARGET_MS[component];
}

function freshnessOf({ component, askedAt, now }: StandingFacts, state: StandingState): Freshness {
  if (askedAt === null || !SAFE.has(state)) return 'RED';
  const age = now - askedAt;
  const target = TARGET_MS[component];
  return age <= target ? 'GREEN' : age <= target * AMBER_FACTOR ? 'AMBER' : 'RED';
}

/** What the till does without head office, and what it needs for that. */
const NEEDS = {
  /** Sell, and recognise customers. */
  sell: ['Customer'],
  /** Show points and tiers. */
  showPoints: ['Customer'],
  redeemCoupons: ['Voucher Series', 'Fraud Users List', 'Customer'],
  redeemPoints: ['Customer', 'Fraud Users List'],
} as const satisfies Record<string, readonly ComponentName[]>;
export type Activity = keyof typeof NEEDS;

/** What is safe now, by component standing. Bills are taken in every state: a till that cannot record loses a sale. */
export function safeActivities(standings: ReadonlyMap<ComponentName, Pick<Standing, 'safeOffline'>>): Readonly<Record<Activity, boolean>> {
  const isSafe = (activity: Activity) => NEEDS[activity].every((component) => standings.get(component)?.safeOffline === true);
  return {
    sell: isSafe('sell'),
    showPoints: isSafe('showPoints'),
    redeemCoupons: isSafe('redeemCoupons'),
    redeemPoints: isSafe('redeemPoints'),
  };
}
