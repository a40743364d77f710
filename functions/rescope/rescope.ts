import type { Clock } from '../../core/ports/clock.ts';
import type { MainRecord, RecordStore, RecordWrite } from '../../core/ports/record-store.ts';
import type { RescopeRequests } from '../../core/ports/rescope-requests.ts';
import { leftScopes } from '../../core/records/left-scopes.ts';
import { equalScopes } from '../../core/records/record-scopes.ts';
import { dayOf, isRecent, membershipOf, reviewOwner } from '../../core/working-set/membership.ts';
import { idOf, splitId } from '../../core/working-set/owner.ts';
import type { RescopeWork } from '../../core/working-set/rescope-trigger.ts';
import type { Scope } from '../../protocol/feed.ts';
import { limits } from '../../protocol/limits.ts';
import { SyncError } from '../../protocol/sync-error.ts';

/**
 * Keeps every record of a customer in exactly the stores of the customer's working set (INV-43).
 *
 * Everything is worked out from what stands in main data now, so work may be doubled, late and in any order. A record
 * that is placed looks at its owner once more afterwards; what belongs to an owner is placed twice, the second time after a
 * minute, because the index by owner follows main data a little later.
 */
export interface RescopeDeps {
  readonly records: Pick<RecordStore, 'getMany' | 'writeMany' | 'listOwned'>;
  readonly requests: RescopeRequests;
  readonly clock: Clock;
}

/** Somebody else wrote the record meanwhile, this often in a row. */
const TRIES = 8;
const REVIEW_DAYS = 8;
const DAY_MS = 86_400_000;

export async function rescope(deps: RescopeDeps, work: readonly RescopeWork[]): Promise<void> {
  for (const { kind, id } of work) {
    if (kind === 'record') await placeRecord(deps, id);
    else await placeChildren(deps, id, []);
    if (kind === 'children') await deps.requests.send([{ kind: 'again', id }]);
  }
}

/** Customers from whom a store drops out today, or did in the days before, if a turn was missed. */
export async function reviewDue(deps: RescopeDeps): Promise<number> {
  let due = 0;
  for (let back = 0; back < REVIEW_DAYS; back += 1) {
    const day = dayOf(deps.clock.now() - back * DAY_MS);
    for await (const part of deps.records.listOwned(reviewOwner(day))) {
      due += part.length;
      await deps.requests.send(part.map((one): RescopeWork => ({ kind: 'children', id: idOf(one) })));
    }
  }
  return due;
}

async function placeRecord(deps: RescopeDeps, id: string): Promise<void> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const record = await read(deps, id);
    if (record?.owner === undefined) return;
    const owner = await read(deps, record.owner);
    if (owner !== null && owner.collection === 'customer' && !owner.deleted && joins(record, owner, deps.clock.now()))
      return placeChildren(deps, record.owner, [id]);
    const scopes = scopesOfChildren(owner);
    if (!(await place(deps, record, { scopes, owner: record.owner }))) continue;
    // The owner may have moved while this was written; whoever moves it later sees this record.
    if (equalScopes(scopesOfChildren(await read(deps, record.owner)), scopes)) return;
  }
  throw busy(id);
}

/** A bill at a store that does not hold its customer yet. */
function joins(record: MainRecord, owner: MainRecord, now: number): boolean {
  const store = record.fields['store_code'];
  if (record.collection !== 'bill' || typeof store !== 'string') return false;
  return isRecent(record, { now, windowMs: limits.workingSetMs }) && !owner.scopes.includes(`store:${store}`);
}

/** The owner's own place, and that of all that belongs to it. `known`: what the index may not have yet. */
async function placeChildren(deps: RescopeDeps, id: string, known: readonly string[]): Promise<void> {
  const children = new Set(known);
  for await (const part of deps.records.listOwned(id)) for (const child of part) children.add(idOf(child));
  const scopes = scopesOfChildren(await placeOwner(deps, id, [...children]));
  const to = { scopes, owner: id };
  const moving = [...(await readAll(deps, [...children])).values()].filter((record) => record.owner === id && !isSettled(record, to));
  const outcomes = await deps.records.writeMany(moving.map((record) => placing(record, to, deps.clock.now())));
  // Another writer was faster with these.
  for (const [index, record] of moving.entries()) if (outcomes[index] === 'conflict') await placeRecord(deps, idOf(record));
}

async function placeOwner(deps: RescopeDeps, id: string, children: readonly string[]): Promise<MainRecord | null> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const owner = await read(deps, id);
    // A tombstone stays in the feeds it has to reach. Bills are placed by their customer, or by themselves.
    if (owner === null || owner.deleted || owner.collection !== 'customer') return owner;
    const bills = [
      ...(
        await readAll(
          deps,
          children.filter((child) => splitId(child).collection === 'bill'),
        )
      ).values(),
    ];
    const own = bills.filter((bill) => bill.owner === id);
    const { scopes, reviewDay } = membershipOf(owner, own, { now: deps.clock.now(), windowMs: limits.workingSetMs });
    const wanted = { scopes, owner: reviewDay === null ? undefined : reviewOwner(reviewDay) };
    if (isPlaced(owner, wanted)) return owner;
    const placed = placedRecord(owner, wanted, deps.clock.now());
    const [outcome] = await deps.records.writeMany([{ record: placed, previousRev: owner.rev }]);
    if (outcome === 'written') return placed;
  }
  throw busy(id);
}

/** What is of nobody, or of one who is gone, is in no store. */
function scopesOfChildren(owner: MainRecord | null): readonly Scope[] {
  return owner === null || owner.deleted ? [] : owner.scopes;
}

interface Place {
  readonly scopes: readonly Scope[];
  readonly owner: string | undefined;
}

function isPlaced(record: MainRecord, { scopes, owner }: Place): boolean {
  return equalScopes(record.scopes, scopes) && record.owner === owner;
}

/** A tombstone goes where the record was. */
function isSettled(record: MainRecord, to: Place): boolean {
  return record.deleted || isPlaced(record, to);
}

function placing(record: MainRecord, to: Place, now: number): RecordWrite {
  return { record: placedRecord(record, to, now), previousRev: record.rev };
}

/** false: another writer was faster. */
async function place(deps: RescopeDeps, record: MainRecord, to: Place): Promise<boolean> {
  if (isSettled(record, to)) return true;
  const [outcome] = await deps.records.writeMany([placing(record, to, deps.clock.now())]);
  return outcome === 'written';
}

function placedRecord(record: MainRecord, { scopes, owner }: Place, now: number): MainRecord {
  const { owner: _, left: __, ...rest } = record;
  return {
    ...rest,
    scopes,
    rev: Math.max(record.rev + 1, now),
    ...(owner === undefined ? {} : { owner }),
    ...leftScopes(record, scopes, now),
  };
}

async function read({ records }: RescopeDeps, id: string): Promise<MainRecord | null> {
  const { collection, key } = splitId(id);
  return (await records.getMany(collection, [key])).get(key) ?? null;
}

async function readAll({ records }: RescopeDeps, ids: readonly string[]): Promise<Map<string, MainRecord>> {
  const found = new Map<string, MainRecord>();
  for (const [collection, some] of Map.groupBy(ids.map(splitId), (one) => one.collection)) {
    const keys = some.map(({ key }) => key);
    for (const record of (await records.getMany(collection, keys)).values()) found.set(idOf(record), record);
  }
  return found;
}

function busy(id: string): SyncError {
  return new SyncError('CONFLICT', `others keep writing ${splitId(id).collection} of the same customer`, { retryAfterMs: 500 });
}
