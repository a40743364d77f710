import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import middy from '@middy/core';
import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import * as z from 'zod';
import type { CompactionWork } from '../../core/ports/compaction-requests.ts';
import type { FeedName } from '../../protocol/feed.ts';
import { limits } from '../../protocol/limits.ts';
import { type CompactResponse, compactRequestSchema } from '../../protocol/messages/compact.ts';
import { documentClient, s3Client, sqsClient } from '../aws/clients.ts';
import { DynamoFeedStore } from '../aws/dynamo-feed-store.ts';
import { SqsCompactionRequests } from '../aws/sqs-compaction-requests.ts';
import { S3ObjectStore } from '../aws/s3-object-store.ts';
import { invokedFunction, isScheduled } from '../invoked-function.ts';
import { environment, systemClock } from '../runtime.ts';
import { compactFeed, compactFeeds } from './compact.ts';
import { ringStale } from './ring-stale.ts';
import { sealFeed } from './seal.ts';
import { workOff } from './work-off.ts';

const env = environment('FEEDS_TABLE', 'SNAPSHOTS_BUCKET', 'COMPACTION_QUEUE_URL');
const logger = new Logger({ serviceName: 'compact' });
const feeds = new DynamoFeedStore(documentClient(), env.FEEDS_TABLE);
const objects = new S3ObjectStore(s3Client(), env.SNAPSHOTS_BUCKET);
const deps = {
  feeds,
  objects,
  clock: systemClock,
  sealing: limits,
  sizes: { rowsTarget: limits.chunkRowsTarget, rowsMax: limits.chunkRowsMax },
};
const compactions = new SqsCompactionRequests(sqsClient(), env.COMPACTION_QUEUE_URL);
const messageSchema = z.object({ feed: z.string(), work: z.enum(['snapshot', 'segments']).default('snapshot') });

/** A large feed takes a minute and a half: one that is begun has more than twice that. */
const RESERVE_MS = 210_000;

const fromQueue = middy<SQSEvent, SQSBatchResponse>()
  .use(injectLambdaContext(logger))
  .handler((event, context) => compactMessages(event, context));

const asked = invokedFunction(logger, compactRequestSchema, ({ feeds: wanted }) => compactWanted(wanted));

const scheduled = invokedFunction(logger, z.unknown(), async () => {
  const rung = await ringStale({ feeds, compactions });
  logger.info('rung for feeds that changed', { rung });
  return { rung };
});

/** Three callers: the queue (a feed), the schedule, and people (`{}` or `{feeds}`: all feeds, or those). */
export const handler = (event: SQSEvent | object, context: Context): Promise<object> => {
  if ('Records' in event) return fromQueue(event, context);
  return isScheduled(event) ? scheduled(event, context) : asked(event, context);
};

async function compactMessages(event: SQSEvent, context: Context): Promise<SQSBatchResponse> {
  const again = await workOff(
    {
      clock: systemClock,
      until: systemClock.now() + context.getRemainingTimeInMillis() - RESERVE_MS,
      run: async (body) => {
        const { feed, work } = askedOf(body);
        await (work === 'segments' ? seal(feed) : snapshot(feed));
      },
      askAgain: async (body) => {
        const { feed, work } = askedOf(body);
        await compactions.ring([feed], work);
      },
      failed: (error) => logger.error('not compacted; the queue delivers again', error as Error),
    },
    event.Records,
  );
  return { batchItemFailures: again.map((itemIdentifier) => ({ itemIdentifier })) };
}

function askedOf(body: string): { feed: FeedName; work: CompactionWork } {
  const { feed, work } = messageSchema.parse(JSON.parse(body));
  return { feed: feed as FeedName, work };
}

async function snapshot(feed: FeedName): Promise<void> {
  logger.info('compacted', { ...(await compactFeed(deps, feed)) });
}

async function seal(feed: FeedName): Promise<void> {
  const state = (await feeds.readFeeds([feed])).get(feed);
  if (state === undefined) return;
  const { sealed, merged, pagesDeleted } = await sealFeed(deps, state);
  logger.info('sealed', { feed, sealed, merged, pagesDeleted });
}

async function compactWanted(wanted: readonly string[] | undefined): Promise<CompactResponse> {
  const { done, failed } = await compactFeeds(deps, (wanted ?? (await feeds.listFeeds())) as FeedName[]);
  for (const { feed, error } of failed) logger.error('not compacted', { feed, error: error as Error });
  if (failed[0] !== undefined) throw failed[0].error;
  return { feeds: done };
}
