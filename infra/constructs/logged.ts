/**
 * What functions say in their logs and people should hear of. The words are the functions' own, and the only thing that ties a
 * log line to its alarm: a test looks for each of them in the function's source.
 */
import { FilterPattern, type JsonPattern } from 'aws-cdk-lib/aws-logs';
import type { FunctionName } from './functions.ts';

export interface Logged {
  readonly by: FunctionName;
  readonly pattern: JsonPattern;
  readonly runbook: string;
  readonly means: string;
  /** Said when it happens and never again: that it is quiet says nothing of its being over. */
  readonly isOnce?: true;
}

/** By the name of the metric. */
export const LOGGED = {
  'fresh-run-late': {
    by: 'fresh-run',
    pattern: message('a fresh run is late'),
    runbook: 'fresh-run-late',
    means: 'A store takes longer to load everything than it should',
  },
  'store-overdue': {
    by: 'watch-stores',
    // With half of the horizon used up the line is another one; whether the store was expected by then depends on the organization.
    pattern: FilterPattern.any(
      message('a store did not come when it was expected'),
      FilterPattern.all(message('a store was not heard of for half of the horizon'), FilterPattern.booleanValue('$.isOverdue', true)),
    ),
    runbook: 'store-overdue',
    means: 'A store was not heard of when it was expected',
  },
  'store-horizon': {
    by: 'watch-stores',
    pattern: message('a store is near or beyond the horizon'),
    runbook: 'store-horizon',
    means: 'A store was not heard of for so long that it will not find the changes it missed one by one',
  },
  'rollout-stopped': {
    by: 'watch-rollout',
    pattern: message('a rollout is stopped'),
    runbook: 'rollout-stopped',
    means: 'Changed settings are stopped at the canary stores, and somebody has to decide',
  },
  'replica-differs': {
    by: 'report',
    pattern: message('a replica differs'),
    runbook: 'replica-differs',
    means: 'A store holds other data than head office, and mends itself',
  },
  'replica-forked': {
    by: 'fork',
    pattern: message('a replica was restored or copied, and goes on as a new one'),
    runbook: 'replica-forked',
    means: 'The data folder of a store was restored from a backup or copied to another machine',
    isOnce: true,
  },
  quarantine: {
    by: 'feed-writer',
    pattern: message('a change is in quarantine'),
    runbook: 'quarantine',
    means: 'A change of main data cannot be put into a feed, so no store gets it',
    isOnce: true,
  },
} as const satisfies Record<string, Logged>;

function message(text: string): JsonPattern {
  return FilterPattern.stringValue('$.message', '=', text);
}
