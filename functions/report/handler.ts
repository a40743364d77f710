import { Logger } from '@aws-lambda-powertools/logger';
import { reportRequestSchema } from '../../protocol/messages/report.ts';
import { documentClient } from '../aws/clients.ts';
import { DynamoFeedStore } from '../aws/dynamo-feed-store.ts';
import { DynamoStoreRegistry } from '../aws/dynamo-store-registry.ts';
import { authenticate } from '../http/authenticate.ts';
import { httpFunction } from '../http/http-function.ts';
import { environment, organization, systemClock } from '../runtime.ts';
import { report } from './report.ts';

const env = environment('FEEDS_TABLE', 'STORES_TABLE');
const audience = organization().name;
const logger = new Logger({ serviceName: 'report' });
const documents = documentClient();
const registry = new DynamoStoreRegistry(documents, env.STORES_TABLE);
const deps = { feeds: new DynamoFeedStore(documents, env.FEEDS_TABLE), registry, clock: systemClock };

export const handler = httpFunction({ logger, clock: systemClock }, reportRequestSchema, async (request) => {
  const who = await authenticate({ registry, clock: systemClock, audience }, request);
  return report(deps, who, request.body);
});
