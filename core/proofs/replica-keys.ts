import { limits } from '../../protocol/limits.ts';
import type { PublicKey, Replica } from '../ports/store-registry.ts';

/**
 * Which keys a replica may sign with (INV-55), and when it is time for another one. A key that it said it will use is good at once; the one before it
 * until the new one is used first, and for a day at most.
 */
type Keys = Pick<Replica, 'publicKey' | 'nextKey' | 'keySince' | 'newKeyAskedAt' | 'enrolledAt'>;

export function keysOf({ publicKey, nextKey }: Keys, now: number): PublicKey[] {
  if (nextKey === undefined) return [publicKey];
  return now - Date.parse(nextKey.since) < limits.keyOverlapMs ? [publicKey, nextKey.publicKey] : [nextKey.publicKey];
}

/** Its age, or somebody asked. One that said which key is next and still signs with the old one has yet to go on. */
export function isNewKeyDue({ nextKey, newKeyAskedAt, ...key }: Keys, now: number): boolean {
  const since = keySince(key);
  if (nextKey !== undefined || (newKeyAskedAt !== undefined && newKeyAskedAt > since)) return true;
  return now - Date.parse(since) >= limits.keyLifeMs;
}

export function keySince({ keySince: since, enrolledAt }: Pick<Keys, 'keySince' | 'enrolledAt'>): string {
  return since ?? enrolledAt;
}

/** It was told already. */
export function isNextKey({ nextKey }: Pick<Replica, 'nextKey'>, key: PublicKey): boolean {
  return nextKey !== undefined && isSameKey(nextKey.publicKey, key);
}

export function isSameKey(a: PublicKey, b: PublicKey): boolean {
  return a.x === b.x && a.y === b.y;
}
