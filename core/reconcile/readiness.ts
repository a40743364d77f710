import type { ComponentName } from '../../protocol/catalogue/types.ts';
import type { Cursor, FeedName } from '../../protocol/feed.ts';
import type { PlanResponse } from '../../protocol/messages/plan.ts';

/**
 * Whether a store is complete: every feed of every enabled component has a certificate for the generation the replica
 * stands in (INV-09). A certificate of an older generation, or of a replica that was rebuilt, counts for nothing.
 */
export interface FeedStanding {
  readonly feed: FeedName;
  /** null: never synced. */
  readonly cursor: Cursor | null;
  readonly certificate: Cursor | null;
  /** Head office's generation of the feed, as last heard. */
  readonly generation: string;
}

export interface Outstanding {
  readonly component: ComponentName;
  readonly feed: FeedName;
  readonly reason: 'NEVER_SYNCED' | 'NOT_CERTIFIED';
}

export function isCertified({ cursor, certificate, generation }: Pick<FeedStanding, 'cursor' | 'certificate' | 'generation'>): boolean {
  if (cursor === null || certificate === null) return false;
  return cursor.generation === generation && certificate.generation === generation && certificate.position <= cursor.position;
}

export function outstandingFeeds(components: PlanResponse['components'], standings: readonly FeedStanding[]): Outstanding[] {
  const byFeed = new Map(standings.map((standing) => [standing.feed, standing]));
  return components.flatMap(({ component, status, feeds }) =>
    status !== 'ENABLED'
      ? []
      : feeds.flatMap((feed): Outstanding[] => {
          const standing = byFeed.get(feed);
          if (standing === undefined || standing.cursor === null) return [{ component, feed, reason: 'NEVER_SYNCED' }];
          return isCertified(standing) ? [] : [{ component, feed, reason: 'NOT_CERTIFIED' }];
        }),
  );
}
