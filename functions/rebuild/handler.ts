import { Logger } from '@aws-lambda-powertools/logger';
import { withheldFields } from '../../core/withheld-fields.ts';
import { rebuildCallSchema } from '../../protocol/messages/rebuild.ts';
import { documentClient, s3Client } from '../aws/clients.ts';
import { DynamoFeedStore } from '../aws/dynamo-feed-store.ts';
import { DynamoRecordStore } from '../aws/dynamo-record-store.ts';
import { DynamoUndertakingStore } from '../aws/dynamo-undertaking-store.ts';
import { S3ObjectStore } from '../aws/s3-object-store.ts';
import { environment, organization, systemClock } from '../runtime.ts';
import { invokedFunction } from '../invoked-function.ts';
import { undertakenRebuild } from './undertaken-rebuild.ts';

const env = environment('RECORDS_TABLE', 'FEEDS_TABLE', 'STORES_TABLE', 'SNAPSHOTS_BUCKET');
const logger = new Logger({ serviceName: 'rebuild' });
const documents = documentClient();
const deps = {
  feeds: new DynamoFeedStore(documents, env.FEEDS_TABLE),
  objects: new S3ObjectStore(s3Client(), env.SNAPSHOTS_BUCKET),
  records: new DynamoRecordStore(documents, env.RECORDS_TABLE),
  undertakings: new DynamoUndertakingStore(documents, env.STORES_TABLE),
  clock: systemClock,
  settings: { withheld: new Set(withheldFields(organization().shareSensitiveFields)) },
};

export const handler = invokedFunction(logger, rebuildCallSchema, (call) => undertakenRebuild(deps, call));
