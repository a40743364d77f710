import { Logger } from '@aws-lambda-powertools/logger';
import { rotateKeyRequestSchema } from '../../protocol/messages/rotate-key.ts';
import { documentClient } from '../aws/clients.ts';
import { DynamoProofMemory } from '../aws/dynamo-proof-memory.ts';
import { DynamoStoreRegistry } from '../aws/dynamo-store-registry.ts';
import { authenticateOnce } from '../http/authenticate.ts';
import { httpFunction } from '../http/http-function.ts';
import { environment, organization, systemClock } from '../runtime.ts';
import { rotateKey } from './rotate-key.ts';

const { STORES_TABLE: stores } = environment('STORES_TABLE');
const logger = new Logger({ serviceName: 'rotate-key' });
const documents = documentClient();
const registry = new DynamoStoreRegistry(documents, stores);
const door = { registry, proofs: new DynamoProofMemory(documents, stores), clock: systemClock, audience: organization().name };

export const handler = httpFunction({ logger, clock: systemClock }, rotateKeyRequestSchema, async (request) => {
  const { replica } = await authenticateOnce(door, request);
  const answer = await rotateKey({ registry, clock: systemClock }, replica, request.body);
  logger.info('a replica gets another key', { storeId: replica.storeId, replicaId: replica.replicaId });
  return answer;
});
