import * as z from 'zod';
import { collectionOf, findCollection } from '../../protocol/catalogue/catalogue.ts';
import { type Fields, equalFields, keySchema, parseRecord } from '../../protocol/catalogue/record.ts';
import type { Collection } from '../../protocol/catalogue/types.ts';
import { type FeedName, type Scope, feedName } from '../../protocol/feed.ts';
import type { MainRecord } from '../ports/record-store.ts';
import { equalScopes } from '../records/record-scopes.ts';

/**
 * From one record of main data's stream to the feeds it concerns.
 *
 * A record that moved from one scope to another is a removal in the old feed and a put in the new one. Content that
 * does not fit the catalogue never throws: it is `poison`, which the caller sets aside while the rest goes on. Where a
 * record was is known from collection, key and scopes alone, so old scopes lose it whatever its fields are. A change
 * whose writer forgot to raise `rev` would be ignored by every store: it is `stale`, and the caller raises it.
 * Holds INV-02 (every committed change is in its feed) and INV-08 (nothing withheld reaches a feed).
 */
export interface StreamRecord {
  readonly sequenceNumber: string;
  /** Stream time of the change, milliseconds. */
  readonly at: number;
  /** Images as plain objects; null where there is none. */
  readonly before: unknown;
  readonly after: unknown;
}

export interface FeedChange {
  readonly feed: FeedName;
  readonly collection: string;
  readonly key: string;
  readonly rev: number;
  /** null: a tombstone. */
  readonly fields: Fields | null;
}

/** A record whose `rev` is to be raised to `raiseTo`; the change comes again then. */
export interface StaleRecord {
  readonly collection: string;
  readonly key: string;
  readonly rev: number;
  readonly raiseTo: number;
}

export type Routed =
  | { readonly kind: 'changes'; readonly changes: readonly FeedChange[]; readonly stale: StaleRecord | null }
  /** `changes`: what is certain all the same, the record's removal from scopes it is in no more. */
  | { readonly kind: 'poison'; readonly reason: string; readonly changes: readonly FeedChange[] };

export interface RouteSettings {
  /** `collection.field` names that stay at head office. */
  readonly withheld: ReadonlySet<string>;
}

/** What an image says about where its record is, whether or not its fields fit the catalogue. */
type Place = Pick<MainRecord, 'collection' | 'key' | 'scopes'> & {
  /** 0: not to be read. */
  readonly rev: number;
};

export function routeChange(record: StreamRecord, settings: RouteSettings): Routed {
  const before = placeOf(record.before);
  const after = record.after === null ? null : readImage(record.after);
  if (typeof after === 'string') return { kind: 'poison', reason: after, changes: leftByPoison(before, record) };
  if (after === null) return { kind: 'changes', changes: wasTombstone(record.before) ? [] : removalOf(before, record.at), stale: null };
  if (record.before !== null && isStale(readImage(record.before), after)) {
    const leftAt = Math.max((before?.rev ?? 0) + 1, after.rev + 1, record.at);
    // What the raised change brings about in the new scope, the old one has to be told here: it is not in that image.
    const left = before === null ? [] : feedsLeft(before, after).map((feed) => tombstone(feed, before, leftAt));
    // Above the tombstone: the record may be back where it was by the time it is raised.
    return { kind: 'changes', changes: left, stale: { collection: after.collection, key: after.key, rev: after.rev, raiseTo: leftAt + 1 } };
  }

  const left = before === null ? [] : feedsLeft(before, after);
  const fields = after.deleted ? null : withoutWithheld(collectionOf(after.collection), after.fields, settings);
  const { collection, key, rev } = after;
  return {
    kind: 'changes',
    changes: [
      ...left.map((feed) => tombstone(feed, before ?? after, rev)),
      ...feedsOf(after).map((feed) => ({ feed, collection, key, rev, fields })),
    ],
    stale: null,
  };
}

/** After an image that was no record nobody knows which revision stores hold, so a new one has to be above all. */
function isStale(before: MainRecord | string, after: MainRecord): boolean {
  if (typeof before === 'string') return true;
  if (after.rev !== before.rev) return after.rev < before.rev;
  return !equalScopes(before.scopes, after.scopes) || before.deleted !== after.deleted || !equalFields(before.fields, after.fields);
}

function feedsOf({ collection, scopes }: Pick<Place, 'collection' | 'scopes'>): FeedName[] {
  const { component } = collectionOf(collection);
  return scopes.map((scope) => feedName(component, scope));
}

function feedsLeft(before: Place, after: Pick<Place, 'collection' | 'scopes'>): FeedName[] {
  const stayed = new Set(feedsOf(after));
  return feedsOf(before).filter((feed) => !stayed.has(feed));
}

/** A tombstone that was purged: stores were told when it became one. */
function wasTombstone(image: unknown): boolean {
  return z.object({ deleted: z.literal(true) }).safeParse(image).success;
}

/** Live records are never removed; if somebody did it by hand, stores still learn of it. */
function removalOf(before: Place | null, at: number): FeedChange[] {
  if (before === null) return [];
  return feedsOf(before).map((feed) => tombstone(feed, before, Math.max(before.rev + 1, at)));
}

/** A record that moved and became unreadable at once has left its old scopes; what follows knows only the new ones. */
function leftByPoison(before: Place | null, { after, at }: StreamRecord): FeedChange[] {
  const place = placeOf(after);
  if (before === null || place === null) return [];
  return feedsLeft(before, place).map((feed) => tombstone(feed, before, Math.max(before.rev + 1, place.rev, at)));
}

function tombstone(feed: FeedName, { collection, key }: Place, rev: number): FeedChange {
  return { feed, collection, key, rev, fields: null };
}

export function withoutWithheld(collection: Collection, fields: Fields, { withheld }: RouteSettings): Fields {
  if (!collection.fields.some((field) => withheld.has(`${collection.name}.${field.name}`))) return fields;
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !withheld.has(`${collection.name}.${name}`)));
}

/** Long ones are no store's, and a feed could not be named after them. */
const SCOPE = /^(org|(zone|store):.{1,200})$/;
const scopeSchema = z.custom<Scope>((value) => typeof value === 'string' && SCOPE.test(value), 'is no scope');
const placeSchema = z.object({
  collection: z.string(),
  key: keySchema,
  scopes: z.array(scopeSchema),
  rev: z.int().positive().catch(0),
});
const imageSchema = placeSchema.extend({
  rev: z.int().positive(),
  deleted: z.boolean().default(false),
  updatedAt: z.string().default(''),
  fields: z.unknown(),
});

/** null: there is no image, or it does not say whose the record is. */
function placeOf(image: unknown): Place | null {
  const place = placeSchema.safeParse(image);
  return place.success && findCollection(place.data.collection) !== undefined ? place.data : null;
}

/** The record of an image, or the reason why it is none. */
function readImage(image: unknown): MainRecord | string {
  const shape = imageSchema.safeParse(image);
  if (!shape.success) return shape.error.issues.map((issue) => `${issue.path.join('.') || 'record'}: ${issue.message}`).join('; ');
  const { fields, ...record } = shape.data;
  const collection = findCollection(record.collection);
  if (collection === undefined) return `unknown collection ${JSON.stringify(record.collection)}`;
  if (record.deleted) return { ...record, fields: {} };
  const parsed = parseRecord(collection, fields);
  if (!parsed.ok) return `${collection.name}: ${parsed.issues.map((issue) => `${issue.field}: ${issue.reason}`).join('; ')}`;
  if (parsed.key !== record.key) return `${collection.name}: the key is not the one its fields make`;
  return { ...record, fields: parsed.fields };
}
