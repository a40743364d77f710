import * as z from 'zod';
import type { ScopeSettings } from '../../protocol/catalogue/scopes.ts';
import { findCollection } from '../../protocol/catalogue/catalogue.ts';
import { type Fields, equalFields } from '../../protocol/catalogue/record.ts';
import type { StreamRecord } from '../feed/route-change.ts';
import { idOf, isByWorkingSet, isOwner } from './owner.ts';

/**
 * What a change of main data asks to be looked at: the record itself, because it is new or has another owner; or what
 * belongs to it, because its own scopes or what they come from have changed. What rescoping writes asks for nothing but
 * what belongs to it, so it comes to rest.
 */
export interface RescopeWork {
  /**
   * `children`: the record's place is worked out, and that of all that belongs to it. `again`: the same once more, when the
   * index by owner has caught up.
   */
  readonly kind: 'record' | 'children' | 'again';
  /** `<collection>/<key>`. */
  readonly id: string;
}

const imageSchema = z.object({
  collection: z.string(),
  key: z.string(),
  rev: z.number().catch(0),
  owner: z.string().optional(),
  scopes: z.array(z.string()),
  deleted: z.boolean().default(false),
  fields: z.record(z.string(), z.unknown()).catch({}),
});
type Image = z.infer<typeof imageSchema>;

/** Fields that a customer's or bill's place comes from. */
const SOURCES = ['registered_store', 'store_code', 'billing_time'];

export function rescopeTrigger({ before, after }: StreamRecord, settings: ScopeSettings): RescopeWork[] {
  const now = imageSchema.safeParse(after).data;
  // What cannot be read is in the quarantine.
  if (now === undefined || findCollection(now.collection) === undefined || !isByWorkingSet(now.collection, settings)) return [];
  const was = imageSchema.safeParse(before).data ?? null;
  return [...placeWork(was, now), ...childrenWork(was, now)];
}

function placeWork(was: Image | null, now: Image): RescopeWork[] {
  if (now.collection === 'customer' || !(isPlacedAnew(was, now) || isSentAgain(was, now))) return [];
  const work: RescopeWork[] = now.owner === undefined ? [] : [{ kind: 'record', id: idOf(now) }];
  // A bill that changed may have been what kept its customer at a store.
  if (now.collection === 'bill' && was?.owner !== undefined && isPlacedAnew(was, now)) work.push({ kind: 'children', id: was.owner });
  return work;
}

function childrenWork(was: Image | null, now: Image): RescopeWork[] {
  if (!isOwner(now.collection)) return [];
  const isMoved = was === null || was.deleted !== now.deleted || was.scopes.join() !== now.scopes.join();
  const isAsked = now.collection === 'customer' && (isPlacedAnew(was, now) || isSentAgain(was, now));
  return isMoved || isAsked ? [{ kind: 'children', id: idOf(now) }] : [];
}

/** Raised and nothing else, as a rebuild does it: what the stream lost may have been what asked for its place. */
function isSentAgain(was: Image | null, now: Image): boolean {
  return was !== null && was.rev < now.rev && isEqualButRev(was, now);
}

function isEqualButRev(was: Image, now: Image): boolean {
  return (
    was.deleted === now.deleted &&
    was.owner === now.owner &&
    was.scopes.join() === now.scopes.join() &&
    equalFields(was.fields as Fields, now.fields as Fields)
  );
}

/** A customer's owner is the day of its next review, which rescoping itself sets. */
function isPlacedAnew(was: Image | null, now: Image): boolean {
  if (was === null || was.deleted !== now.deleted || (was.owner !== now.owner && now.collection !== 'customer')) return true;
  return SOURCES.some((name) => was.fields[name] !== now.fields[name]);
}
