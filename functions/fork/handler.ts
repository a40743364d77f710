import { Logger } from '@aws-lambda-powertools/logger';
import { forkRequestSchema } from '../../protocol/messages/push.ts';
import { documentClient } from '../aws/clients.ts';
import { agentDoor } from '../http/agent-door.ts';
import { authenticateOnce } from '../http/authenticate.ts';
import { httpFunction } from '../http/http-function.ts';
import { environment, systemClock } from '../runtime.ts';
import { fork } from './fork.ts';

const logger = new Logger({ serviceName: 'fork' });
const door = agentDoor(documentClient(), environment('STORES_TABLE').STORES_TABLE);

export const handler = httpFunction({ logger, clock: systemClock }, forkRequestSchema, async (request) => {
  const { replica } = await authenticateOnce(door, request);
  const forked = await fork(door, replica, request.body);
  logger.warn('a replica was restored or copied, and goes on as a new one', {
    storeId: replica.storeId,
    was: replica.replicaId,
    replicaId: forked.replicaId,
  });
  return forked;
});
