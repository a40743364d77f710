import type { Scope } from '../../protocol/feed.ts';
import { limits } from '../../protocol/limits.ts';
import type { MainRecord } from '../ports/record-store.ts';

/**
 * Where a record was before: its scopes at the next write, and of those it left before the ones whose feeds may still lead
 * to what it was.
 *
 * A feed that a record left has its tombstone and, until the horizon, segments with what it was. Who erases a customer
 * has to make these feeds forget as well, and nothing but the record itself could say which they are (INV-42).
 */
export function leftScopes(before: MainRecord | null, scopes: readonly Scope[], now: number): Pick<MainRecord, 'left'> {
  const known = Object.entries(before?.left ?? {}).filter(([, at]) => at > now - limits.leftScopeMs);
  const leaving = (before?.scopes ?? []).map((scope): [string, number] => [scope, now]);
  const left = [...known, ...leaving].filter(([scope]) => !(scopes as readonly string[]).includes(scope));
  return left.length === 0 ? {} : { left: Object.fromEntries(left) };
}
