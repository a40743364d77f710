import { Logger } from '@aws-lambda-powertools/logger';
import { rotateKeyRequestSchema } from '../../protocol/messages/rotate-key.ts';
import { documentClient } from '../aws/clients.ts';
import { agentDoor } from '../http/agent-door.ts';
import { authenticateOnce } from '../http/authenticate.ts';
import { httpFunction } from '../http/http-function.ts';
import { environment, systemClock } from '../runtime.ts';
import { rotateKey } from './rotate-key.ts';

const logger = new Logger({ serviceName: 'rotate-key' });
const door = agentDoor(documentClient(), environment('STORES_TABLE').STORES_TABLE);

export const handler = httpFunction({ logger, clock: systemClock }, rotateKeyRequestSchema, async (request) => {
  const { replica } = await authenticateOnce(door, request);
  const answer = await rotateKey(door, replica, request.body);
  logger.info('a replica gets another key', { storeId: replica.storeId, replicaId: replica.replicaId });
  return answer;
});
