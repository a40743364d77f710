import { type ErasedRecord, type Person, eraseRecord, isParent } from '../../core/erasure/erase-record.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { BucketPart, MainRecord, RecordStore, RecordWrite } from '../../core/ports/record-store.ts';
import { type FeedName, type Scope, feedName } from '../../protocol/feed.ts';
import { collectionOf } from '../../protocol/catalogue/catalogue.ts';
import { SyncError } from '../../protocol/sync-error.ts';

/** One part of main data: what is of the person goes or is stripped of them. Repeating it finds nothing more to do. */
export interface EraseRecordsDeps {
  readonly records: Pick<RecordStore, 'readBucket' | 'writeMany'>;
  readonly clock: Clock;
}

export interface ErasedPart {
  readonly looked: number;
  readonly deleted: number;
  readonly stripped: number;
  readonly parents: string[];
  readonly feeds: FeedName[];
  readonly tombstones: { collection: string; key: string }[];
  /** All that was of the person in any way. */
  readonly touched: { collection: string; key: string }[];
  readonly next: string | null;
}

const TRIES = 5;

export async function eraseRecords(deps: EraseRecordsDeps, part: BucketPart, person: Person): Promise<ErasedPart> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const { records, next } = await deps.records.readBucket(part);
    const erased = records.map((record) => ({ record, to: eraseRecord(record, person) }));
    const outcomes = await deps.records.writeMany(erased.flatMap(({ record, to }) => writeOf(record, to, deps.clock.now()) ?? []));
    // Somebody wrote one of them meanwhile: look again. What is done already is kept by then.
    if (outcomes.includes('conflict')) continue;
    return { looked: records.length, ...summary(records, person), next };
  }
  throw new SyncError('CONFLICT', 'others keep writing the same records', { retryAfterMs: 500 });
}

/** From the records as they were read, also those that an earlier try has erased. */
function summary(records: readonly MainRecord[], person: Person): Omit<ErasedPart, 'looked' | 'next'> {
  const found = records.map((record) => ({ record, to: eraseRecord(record, person) }));
  const changed = found.filter(({ to }) => to.kind !== 'keep').map(({ record }) => record);
  // One that an earlier run has stripped names the pseudonym; what belongs to it may be left.
  const parents = [...changed, ...records.filter(({ fields }) => fields['user_id'] === person.pseudonym)].filter(({ collection }) =>
    isParent(collection),
  );
  const ofKind = (kind: ErasedRecord['kind']) => found.filter(({ to }) => to.kind === kind).map(({ record }) => record);
  return {
    deleted: ofKind('delete').length,
    stripped: ofKind('strip').length,
    parents: [...new Set(parents.map(({ collection, key }) => `${collection}/${key}`))],
    feeds: [...new Set(changed.flatMap(feedsOf))],
    tombstones: [...ofKind('delete'), ...ofKind('gone')].map(({ collection, key }) => ({ collection, key })),
    touched: changed.map(({ collection, key }) => ({ collection, key })),
  };
}

/** Those it left too: what it was may still be in them. */
function feedsOf({ collection, scopes, left }: MainRecord): FeedName[] {
  const all = [...scopes, ...(Object.keys(left ?? {}) as Scope[])];
  return all.map((scope) => feedName(collectionOf(collection).component, scope));
}

function writeOf(record: MainRecord, erased: ErasedRecord, now: number): RecordWrite | null {
  if (erased.kind === 'keep' || erased.kind === 'gone') return null;
  const { clocks: _, owner, ...rest } = record;
  const after = { ...rest, rev: Math.max(record.rev + 1, now), updatedAt: new Date(now).toISOString() };
  const to = erased.kind === 'strip' ? erased : { owner, fields: {} };
  return {
    record: { ...after, deleted: erased.kind !== 'strip', fields: to.fields, ...(to.owner === undefined ? {} : { owner: to.owner }) },
    previousRev: record.rev,
  };
}
