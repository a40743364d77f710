import { Logger } from '@aws-lambda-powertools/logger';
import { withheldFields } from '../../core/withheld-fields.ts';
import { planRequestSchema } from '../../protocol/messages/plan.ts';
import { documentClient, s3Client, sqsClient } from '../aws/clients.ts';
import { DynamoFeedStore } from '../aws/dynamo-feed-store.ts';
import { DynamoStoreRegistry } from '../aws/dynamo-store-registry.ts';
import { S3ObjectStore } from '../aws/s3-object-store.ts';
import { SqsCompactionRequests } from '../aws/sqs-compaction-requests.ts';
import { authenticate } from '../http/authenticate.ts';
import { httpFunction } from '../http/http-function.ts';
import { environment, organization, systemClock, systemIds } from '../runtime.ts';
import { plan } from './plan.ts';

const env = environment('FEEDS_TABLE', 'STORES_TABLE', 'SNAPSHOTS_BUCKET', 'COMPACTION_QUEUE_URL');
const settings = organization();
const logger = new Logger({ serviceName: 'plan' });
const documents = documentClient();
const registry = new DynamoStoreRegistry(documents, env.STORES_TABLE);
const deps = {
  feeds: new DynamoFeedStore(documents, env.FEEDS_TABLE),
  objects: new S3ObjectStore(s3Client(), env.SNAPSHOTS_BUCKET),
  compactions: new SqsCompactionRequests(sqsClient(), env.COMPACTION_QUEUE_URL),
  clock: systemClock,
  ids: systemIds,
  withheld: withheldFields(settings.shareSensitiveFields),
};

export const handler = httpFunction({ logger, clock: systemClock }, planRequestSchema, async (request) => {
  const { store } = await authenticate({ registry, clock: systemClock, audience: settings.name }, request);
  return plan(deps, store, request.body);
});
