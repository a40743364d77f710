import type { StoredObject } from '../ports/object-store.ts';

/**
 * Which objects of the bucket nobody needs any more.
 *
 * A manifest is needed while it is its feed's newest, and for `lifeMs` after the next one was written, because stores
 * may be loading it. A chunk or segment is needed when a kept manifest or the feed's index names it. What is younger
 * than `lifeMs` is left alone whatever names it: a compaction writes objects before it names them, and it takes over
 * old ones only from the newest manifest, so with a life far longer than any function's nothing that is about to be named
 * is taken away (INV-42).
 */
export function supersededManifests(
  manifests: readonly StoredObject[],
  /** Key of the published one; null: there is none. */
  newest: string | null,
  { now, lifeMs }: Life,
): string[] {
  // The published one is last whatever its time: times have whole seconds, and one that was put later may never be published.
  const inOrder = [...manifests].sort((a, b) => Number(a.key === newest) - Number(b.key === newest) || a.at - b.at);
  return inOrder.flatMap(({ key, at }, index) => {
    const next = inOrder[index + 1];
    return next !== undefined && at < now - lifeMs && next.at < now - lifeMs ? [key] : [];
  });
}

interface Life {
  /** Milliseconds. */
  readonly now: number;
  readonly lifeMs: number;
}

export function unneeded(objects: readonly StoredObject[], needed: ReadonlySet<string>, { now, lifeMs }: Life): string[] {
  return objects.filter(({ key, at }) => at < now - lifeMs && !needed.has(key)).map(({ key }) => key);
}
