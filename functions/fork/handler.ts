import { Logger } from '@aws-lambda-powertools/logger';
import { forkRequestSchema } from '../../protocol/messages/push.ts';
import { documentClient } from '../aws/clients.ts';
import { DynamoProofMemory } from '../aws/dynamo-proof-memory.ts';
import { DynamoStoreRegistry } from '../aws/dynamo-store-registry.ts';
import { authenticateOnce } from '../http/authenticate.ts';
import { httpFunction } from '../http/http-function.ts';
import { environment, organization, systemClock } from '../runtime.ts';
import { fork } from './fork.ts';

const { name: audience } = organization();
const logger = new Logger({ serviceName: 'fork' });
const { STORES_TABLE: stores } = environment('STORES_TABLE');
const documents = documentClient();
const proofs = new DynamoProofMemory(documents, stores);
const deps = { registry: new DynamoStoreRegistry(documents, stores), clock: systemClock };

export const handler = httpFunction({ logger, clock: systemClock }, forkRequestSchema, async (request) => {
  const { replica } = await authenticateOnce({ ...deps, proofs, audience }, request);
  const forked = await fork(deps, replica, request.body);
  logger.warn('a replica was restored or copied, and goes on as a new one', {
    storeId: replica.storeId,
    was: replica.replicaId,
    replicaId: forked.replicaId,
  });
  return forked;
});
