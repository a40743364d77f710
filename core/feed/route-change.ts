import * as z from 'zod';
import { collectionOf, findCollection } from '../../protocol/catalogue/catalogue.ts';
import { type Fields, equalFields, parseRecord } from '../../protocol/catalogue/record.ts';
import type { Collection } from '../../protocol/catalogue/types.ts';
import { type FeedName, type Scope, feedName } from '../../protocol/feed.ts';
import type { MainRecord } from '../ports/record-store.ts';
import { equalScopes } from '../records/record-scopes.ts';

/**
 * From one record of main data's stream to the feeds it concerns.
 *
 * A record that moved from one scope to another is a removal in the old feed and a put in the new one. Content that
 * does not fit the catalogue never throws: it is `poison`, which the caller sets aside while the rest goes on. A change
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
  | { readonly kind: 'poison'; readonly reason: string };

export interface RouteSettings {
  /** `collection.field` names that stay at head office. */
  readonly withheld: ReadonlySet<string>;
}

export function routeChange(record: StreamRecord, settings: RouteSettings): Routed {
  const before = record.before === null ? null : readImage(record.before);
  const after = record.after === null ? null : readImage(record.after);
  if (typeof after === 'string') return { kind: 'poison', reason: after };
  if (after === null) return { kind: 'changes', changes: removalOf(before, record.at), stale: null };
  if (before !== null && typeof before !== 'string' && isStale(before, after)) {
    const raiseTo = Math.max(before.rev + 1, after.rev + 1, record.at);
    // What the raised change brings about in the new scope, the old one has to be told here: it is not in that image.
    const left = feedsLeft(before, after).map((feed) => tombstone(feed, after, raiseTo));
    return { kind: 'changes', changes: left, stale: { collection: after.collection, key: after.key, rev: after.rev, raiseTo } };
  }

  const left = before === null || typeof before === 'string' ? [] : feedsLeft(before, after);
  const fields = after.deleted ? null : withoutWithheld(collectionOf(after.collection), after.fields, settings);
  const { collection, key, rev } = after;
  return {
    kind: 'changes',
    changes: [
      ...left.map((feed) => tombstone(feed, after, rev)),
      ...feedsOf(after).map((feed) => ({ feed, collection, key, rev, fields })),
    ],
    stale: null,
  };
}

function isStale(before: MainRecord, after: MainRecord): boolean {
  if (after.rev !== before.rev) return after.rev < before.rev;
  return !equalScopes(before.scopes, after.scopes) || before.deleted !== after.deleted || !equalFields(before.fields, after.fields);
}

function feedsOf({ collection, scopes }: MainRecord): FeedName[] {
  const { component } = collectionOf(collection);
  return scopes.map((scope) => feedName(component, scope));
}

function feedsLeft(before: MainRecord, after: MainRecord): FeedName[] {
  const stayed = new Set(feedsOf(after));
  return feedsOf(before).filter((feed) => !stayed.has(feed));
}

/** Records are never removed; if somebody did it by hand, stores still learn of it. */
function removalOf(before: MainRecord | string | null, at: number): FeedChange[] {
  if (before === null || typeof before === 'string') return [];
  return feedsOf(before).map((feed) => tombstone(feed, before, Math.max(before.rev + 1, at)));
}

function tombstone(feed: FeedName, record: MainRecord, rev: number): FeedChange {
  return { feed, collection: record.collection, key: record.key, rev, fields: null };
}

function withoutWithheld(collection: Collection, fields: Fields, { withheld }: RouteSettings): Fields {
  if (!collection.fields.some((field) => withheld.has(`${collection.name}.${field.name}`))) return fields;
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !withheld.has(`${collection.name}.${name}`)));
}

const imageSchema = z.object({
  collection: z.string(),
  key: z.string().min(1),
  rev: z.int().positive(),
  scopes: z.array(z.custom<Scope>((value) => typeof value === 'string' && /^(org|zone:.+|store:.+)$/.test(value), 'is no scope')),
  deleted: z.boolean().default(false),
  updatedAt: z.string().default(''),
  fields: z.unknown(),
});

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
