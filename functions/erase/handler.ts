import { Logger } from '@aws-lambda-powertools/logger';
import * as z from 'zod';
import { eraseCallSchema } from '../../protocol/messages/erase.ts';
import { limits } from '../../protocol/limits.ts';
import { documentClient, s3Client } from '../aws/clients.ts';
import { DynamoErasureStore } from '../aws/dynamo-erasure-store.ts';
import { DynamoFeedStore } from '../aws/dynamo-feed-store.ts';
import { DynamoQuarantine } from '../aws/dynamo-quarantine.ts';
import { DynamoRecordStore } from '../aws/dynamo-record-store.ts';
import { DynamoStoreRegistry } from '../aws/dynamo-store-registry.ts';
import { DynamoUploadStore } from '../aws/dynamo-upload-store.ts';
import { DynamoUndertakingStore } from '../aws/dynamo-undertaking-store.ts';
import { S3ObjectStore } from '../aws/s3-object-store.ts';
import { environment, organization, systemClock, systemIds } from '../runtime.ts';
import { invokedFunction, isScheduled } from '../invoked-function.ts';
import { undertakenErase } from './undertaken-erase.ts';

const env = environment('RECORDS_TABLE', 'FEEDS_TABLE', 'STORES_TABLE', 'UPLOADS_TABLE', 'SNAPSHOTS_BUCKET');
const logger = new Logger({ serviceName: 'erase' });
const documents = documentClient();
const deps = {
  feeds: new DynamoFeedStore(documents, env.FEEDS_TABLE),
  objects: new S3ObjectStore(s3Client(), env.SNAPSHOTS_BUCKET),
  records: new DynamoRecordStore(documents, env.RECORDS_TABLE),
  erasures: new DynamoErasureStore(documents, env.STORES_TABLE),
  quarantine: new DynamoQuarantine(documents, env.STORES_TABLE),
  uploads: new DynamoUploadStore(documents, { uploads: env.UPLOADS_TABLE, records: env.RECORDS_TABLE, stores: env.STORES_TABLE }),
  registry: new DynamoStoreRegistry(documents, env.STORES_TABLE),
  undertakings: new DynamoUndertakingStore(documents, env.STORES_TABLE),
  clock: systemClock,
  ids: systemIds,
  sealing: limits,
  sizes: { rowsTarget: limits.chunkRowsTarget, rowsMax: limits.chunkRowsMax },
  scopes: organization().scopes,
};

/** Two callers: people, with a step; the schedule, whose event means a sweep. The log names erasures by their id only. */
const callSchema = z.preprocess((event) => (isScheduled(event) ? { step: { op: 'sweep' } } : event), eraseCallSchema);

export const handler = invokedFunction(logger, callSchema, async (call) => {
  const answer = await undertakenErase(deps, call);
  if (call.step.op === 'sweep') logger.info('swept', { ...answer });
  return answer;
});
