import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import middy from '@middy/core';
import type { FreshRecord } from '../../core/ports/run-store.ts';
import type { FreshCheck } from '../../core/runs/fresh-check.ts';
import { type FreshRunAnswer, freshRunRequestSchema } from '../../protocol/messages/fresh-run.ts';
import { documentClient, sqsClient } from '../aws/clients.ts';
import { DynamoFeedStore } from '../aws/dynamo-feed-store.ts';
import { DynamoStoreRegistry } from '../aws/dynamo-store-registry.ts';
import { SqsCompactionRequests } from '../aws/sqs-compaction-requests.ts';
import { environment, organization, systemClock, systemIds } from '../runtime.ts';
import { DynamoRunStore } from '../aws/dynamo-run-store.ts';
import { DynamoUploadStore } from '../aws/dynamo-upload-store.ts';
import { SqsDoorbell } from '../aws/sqs-doorbell.ts';
import { freshRun } from './fresh-run.ts';

const env = environment('FEEDS_TABLE', 'STORES_TABLE', 'UPLOADS_TABLE', 'RECORDS_TABLE', 'COMPACTION_QUEUE_URL', 'DOORBELL_QUEUE_URL');
const logger = new Logger({ serviceName: 'fresh-run' });
const documents = documentClient();
const deps = {
  registry: new DynamoStoreRegistry(documents, env.STORES_TABLE),
  feeds: new DynamoFeedStore(documents, env.FEEDS_TABLE),
  // Not quietly lost as elsewhere: asking is all that this function does, and the workflow comes back.
  compactions: new SqsCompactionRequests(sqsClient(), env.COMPACTION_QUEUE_URL),
  uploads: new DynamoUploadStore(documents, { uploads: env.UPLOADS_TABLE, records: env.RECORDS_TABLE, stores: env.STORES_TABLE }),
  runs: new DynamoRunStore(documents, env.STORES_TABLE),
  doorbell: new SqsDoorbell(sqsClient(), env.DOORBELL_QUEUE_URL),
  clock: systemClock,
  ids: systemIds,
  onLate: ({ storeId, runId, startedAt }: FreshRecord, { missing, silentForMs }: FreshCheck) =>
    logger.error('a fresh run is late', { storeId, runId, startedAt, missing: missing.length, silentForMs }),
  scopes: organization().scopes,
};

/** Called by the workflow only. An error is thrown and not answered, or the workflow would take it for a step that went well. */
export const handler = middy<unknown, FreshRunAnswer>()
  .use(injectLambdaContext(logger))
  .handler(async (event) => {
    const request = freshRunRequestSchema.parse(event);
    const answer = await freshRun(deps, request);
    logger.info('a step of a fresh run', { ...request, ...answer });
    return answer;
  });
