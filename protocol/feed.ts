import type { ComponentName } from './catalogue/types.ts';

/**
 * A feed is one component in one scope: `Customer@org`, `Tasks@store:S1`. Its name is its identity everywhere.
 * A feed's history belongs to a generation; a new generation makes every older cursor void.
 */
export type Scope = 'org' | `zone:${string}` | `store:${string}`;
export type FeedName = `${ComponentName}@${Scope}`;

/** Position p means: the pages 1…p are applied. 0 is the empty feed. */
export interface Cursor {
  readonly generation: string;
  readonly position: number;
}

export function feedName(component: ComponentName, scope: Scope): FeedName {
  return `${component}@${scope}`;
}

export function splitFeedName(feed: FeedName): { component: ComponentName; scope: Scope } {
  const at = feed.indexOf('@');
  return { component: feed.slice(0, at) as ComponentName, scope: feed.slice(at + 1) as Scope };
}

/** The feed's part of object keys: safe in a URL path, one segment, another one for every feed (ids differ by case). */
export function feedPath(feed: FeedName): string {
  const { component, scope } = splitFeedName(feed);
  return encodeURIComponent(`${component.replaceAll(' ', '-').toLowerCase()}@${scope}`);
}
