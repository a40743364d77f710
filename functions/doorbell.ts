import type { CompactionRequests } from '../core/ports/compaction-requests.ts';

/**
 * The doorbell as functions use it whose own work is more important: a page or a plan is not lost because nobody could be
 * asked for a compaction. The next page or plan rings again, and so does the schedule.
 */
export function createDoorbell(requests: CompactionRequests, lost: (error: unknown) => void): CompactionRequests {
  return {
    ring: async (feeds, work) => {
      await requests.ring(feeds, work).catch(lost);
    },
  };
}
