import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import middy from '@middy/core';
import { eraseRequestSchema } from '../../protocol/messages/erase.ts';
import { limits } from '../../protocol/limits.ts';
import { SyncError, isSyncError } from '../../protocol/sync-error.ts';
import { documentClient, s3Client } from '../aws/clients.ts';
import { DynamoErasureStore } from '../aws/dynamo-erasure-store.ts';
import { DynamoFeedStore } from '../aws/dynamo-feed-store.ts';
import { DynamoQuarantine } from '../aws/dynamo-quarantine.ts';
import { DynamoRecordStore } from '../aws/dynamo-record-store.ts';
import { DynamoStoreRegistry } from '../aws/dynamo-store-registry.ts';
import { S3ObjectStore } from '../aws/s3-object-store.ts';
import { describeIssues, errorResponse } from '../http/http-function.ts';
import { environment, organization, systemClock, systemIds } from '../runtime.ts';
import { eraseStep } from './erase.ts';

const env = environment('RECORDS_TABLE', 'FEEDS_TABLE', 'STORES_TABLE', 'SNAPSHOTS_BUCKET');
const logger = new Logger({ serviceName: 'erase' });
const documents = documentClient();
const deps = {
  feeds: new DynamoFeedStore(documents, env.FEEDS_TABLE),
  objects: new S3ObjectStore(s3Client(), env.SNAPSHOTS_BUCKET),
  records: new DynamoRecordStore(documents, env.RECORDS_TABLE),
  erasures: new DynamoErasureStore(documents, env.STORES_TABLE),
  quarantine: new DynamoQuarantine(documents, env.STORES_TABLE),
  registry: new DynamoStoreRegistry(documents, env.STORES_TABLE),
  clock: systemClock,
  ids: systemIds,
  sealing: limits,
  sizes: { rowsTarget: limits.chunkRowsTarget, rowsMax: limits.chunkRowsMax },
  scopes: organization().scopes,
};

/** Two callers: people, with a step; the schedule, with an event of its own. The log names erasures by their id only. */
export const handler = middy<unknown, object>()
  .use(injectLambdaContext(logger))
  .handler(async (event) => {
    try {
      const isScheduled = typeof event === 'object' && event !== null && !('op' in event);
      const request = eraseRequestSchema.safeParse(isScheduled ? { op: 'sweep' } : event);
      if (!request.success) throw new SyncError('INVALID_INPUT', describeIssues(request.error));
      const answer = await eraseStep(deps, request.data);
      if (request.data.op === 'sweep') logger.info('swept', { ...answer });
      return answer;
    } catch (error) {
      if (isSyncError(error)) return errorResponse(error, systemClock.now());
      throw error;
    }
  });
