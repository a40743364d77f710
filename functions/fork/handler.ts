import { Logger } from '@aws-lambda-powertools/logger';
import { forkRequestSchema } from '../../protocol/messages/push.ts';
import { documentClient } from '../aws/clients.ts';
import { DynamoStoreRegistry } from '../aws/dynamo-store-registry.ts';
import { authenticate } from '../http/authenticate.ts';
import { httpFunction } from '../http/http-function.ts';
import { environment, organization, systemClock } from '../runtime.ts';
import { fork } from './fork.ts';

const { name: audience } = organization();
const logger = new Logger({ serviceName: 'fork' });
const deps = { registry: new DynamoStoreRegistry(documentClient(), environment('STORES_TABLE').STORES_TABLE), clock: systemClock };

export const handler = httpFunction({ logger, clock: systemClock }, forkRequestSchema, async (request) => {
  const { replica } = await authenticate({ ...deps, audience }, request);
  const forked = await fork(deps, replica, request.body);
  logger.warn('a replica was restored or copied, and goes on as a new one', {
    storeId: replica.storeId,
    was: replica.replicaId,
    replicaId: forked.replicaId,
  });
  return forked;
});
