import { randomBytes } from 'node:crypto';
import { Logger } from '@aws-lambda-powertools/logger';
import { consoleRequestSchema } from '../../protocol/messages/console.ts';
import { documentClient } from '../aws/clients.ts';
import { DynamoFeedStore } from '../aws/dynamo-feed-store.ts';
import { DynamoQuarantine } from '../aws/dynamo-quarantine.ts';
import { DynamoRecordStore } from '../aws/dynamo-record-store.ts';
import { DynamoRunStore } from '../aws/dynamo-run-store.ts';
import { DynamoUploadStore } from '../aws/dynamo-upload-store.ts';
import { DynamoStoreRegistry } from '../aws/dynamo-store-registry.ts';
import { environment, organization, systemClock, systemIds } from '../runtime.ts';
import { invokedFunction } from '../invoked-function.ts';
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
  runs: new DynamoRunStore(documents, env.STORES_TABLE),
  ids: systemIds,
  clock: systemClock,
  randomBytes: () => randomBytes(16),
  organization: organization(),
};

export const handler = invokedFunction(logger, consoleRequestSchema, (request) => consoleApi(deps, request));
