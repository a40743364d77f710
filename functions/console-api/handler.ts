import { randomBytes } from 'node:crypto';
import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import middy from '@middy/core';
import { consoleRequestSchema } from '../../protocol/messages/console.ts';
import { SyncError, isSyncError } from '../../protocol/sync-error.ts';
import { documentClient } from '../aws/clients.ts';
import { DynamoFeedStore } from '../aws/dynamo-feed-store.ts';
import { DynamoQuarantine } from '../aws/dynamo-quarantine.ts';
import { DynamoRecordStore } from '../aws/dynamo-record-store.ts';
import { DynamoUploadStore } from '../aws/dynamo-upload-store.ts';
import { DynamoStoreRegistry } from '../aws/dynamo-store-registry.ts';
import { describeIssues, errorResponse } from '../http/http-function.ts';
import { environment, organization, systemClock } from '../runtime.ts';
import { consoleApi } from './console-api.ts';

const env = environment('RECORDS_TABLE', 'FEEDS_TABLE', 'STORES_TABLE', 'UPLOADS_TABLE');
const logger = new Logger({ serviceName: 'console-api' });
const documents = documentClient();
const deps = {
  records: new DynamoRecordStore(documents, env.RECORDS_TABLE),
  feeds: new DynamoFeedStore(documents, env.FEEDS_TABLE),
  registry: new DynamoStoreRegistry(documents, env.STORES_TABLE),
  uploads: new DynamoUploadStore(documents, { uploads: env.UPLOADS_TABLE, records: env.RECORDS_TABLE, stores: env.STORES_TABLE }),
  quarantine: new DynamoQuarantine(documents, env.STORES_TABLE),
  clock: systemClock,
  randomBytes: () => randomBytes(16),
  organization: organization(),
};

export const handler = middy<unknown, object>()
  .use(injectLambdaContext(logger))
  .handler(async (event) => {
    try {
      const request = consoleRequestSchema.safeParse(event);
      if (!request.success) throw new SyncError('INVALID_INPUT', describeIssues(request.error));
      return await consoleApi(deps, request.data);
    } catch (error) {
      if (isSyncError(error)) return errorResponse(error, systemClock.now());
      throw error;
    }
  });
