import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import middy from '@middy/core';
import type { DynamoDBBatchResponse, DynamoDBStreamEvent } from 'aws-lambda';
import type { QuarantineEntry } from '../../core/ports/quarantine.ts';
import { withheldFields } from '../../core/withheld-fields.ts';
import { limits } from '../../protocol/limits.ts';
import { documentClient, sqsClient } from '../aws/clients.ts';
import { DynamoFeedStore } from '../aws/dynamo-feed-store.ts';
import { DynamoQuarantine } from '../aws/dynamo-quarantine.ts';
import { DynamoRecordStore } from '../aws/dynamo-record-store.ts';
import { SqsCompactionRequests } from '../aws/sqs-compaction-requests.ts';
import { SqsRescopeRequests } from '../aws/sqs-rescope-requests.ts';
import { toStreamRecord } from '../aws/stream-records.ts';
import { createDoorbell } from '../doorbell.ts';
import { environment, organization, systemClock, systemIds } from '../runtime.ts';
import { writeFeeds } from './feed-writer.ts';

const env = environment('RECORDS_TABLE', 'FEEDS_TABLE', 'STORES_TABLE', 'COMPACTION_QUEUE_URL', 'RESCOPE_QUEUE_URL');
const logger = new Logger({ serviceName: 'feed-writer' });
const documents = documentClient();
const sqs = sqsClient();
const settings = organization();
const doorbell = createDoorbell(new SqsCompactionRequests(sqs, env.COMPACTION_QUEUE_URL), (error) =>
  logger.warn('sealing was not asked for', error as Error),
);
const quarantine = new DynamoQuarantine(documents, env.STORES_TABLE);
const deps = {
  feeds: new DynamoFeedStore(documents, env.FEEDS_TABLE),
  records: new DynamoRecordStore(documents, env.RECORDS_TABLE),
  quarantine: {
    put: async (entries: readonly QuarantineEntry[]) => {
      await quarantine.put(entries);
      // Where it stands and not what it says: it may be about a person.
      for (const { id } of entries) logger.error('a change is in quarantine', { id });
    },
  },
  clock: systemClock,
  ids: systemIds,
  rescopes: new SqsRescopeRequests(sqs, env.RESCOPE_QUEUE_URL),
  settings: { withheld: new Set(withheldFields(settings.shareSensitiveFields)), scopes: settings.scopes },
  pages: { rowsMax: limits.pageRowsMax, rawBytesMax: limits.pageRawBytesMax, bytesMax: limits.pageBytesMax },
};

export const handler = middy<DynamoDBStreamEvent, DynamoDBBatchResponse>()
  .use(injectLambdaContext(logger))
  .handler(async (event) => {
    const { failedFrom, cause, toSeal } = await writeFeeds(deps, event.Records.map(toStreamRecord));
    await doorbell.ring(toSeal, 'segments');
    if (failedFrom === null) return { batchItemFailures: [] };
    logger.error('pages not written; the stream delivers again', { failedFrom, error: cause as Error });
    return { batchItemFailures: [{ itemIdentifier: failedFrom }] };
  });
