import { Logger } from '@aws-lambda-powertools/logger';
import { reportRequestSchema } from '../../protocol/messages/report.ts';
import { documentClient } from '../aws/clients.ts';
import { DynamoFeedStore } from '../aws/dynamo-feed-store.ts';
import { DynamoRunStore } from '../aws/dynamo-run-store.ts';
import { DynamoFreshSlots } from '../aws/dynamo-fresh-slots.ts';
import { limits } from '../../protocol/limits.ts';
import { agentDoor } from '../http/agent-door.ts';
import { authenticateOnce } from '../http/authenticate.ts';
import { httpFunction } from '../http/http-function.ts';
import { environment, organization, systemClock, systemIds } from '../runtime.ts';
import { noteDifferences } from './note-differences.ts';
import { report } from './report.ts';

const env = environment('FEEDS_TABLE', 'STORES_TABLE');
const { scopes } = organization();
const logger = new Logger({ serviceName: 'report' });
const documents = documentClient();
const door = agentDoor(documents, env.STORES_TABLE);
const deps = {
  feeds: new DynamoFeedStore(documents, env.FEEDS_TABLE),
  registry: door.registry,
  slots: new DynamoFreshSlots(documents, env.STORES_TABLE, limits.freshSlots),
  runs: new DynamoRunStore(documents, env.STORES_TABLE),
  clock: systemClock,
  ids: systemIds,
  scopes,
};

export const handler = httpFunction({ logger, clock: systemClock }, reportRequestSchema, async (request) => {
  const who = await authenticateOnce(door, request);
  const answer = await report(deps, who, request.body);
  // A replica that is not what it should be is mended by itself; that it had to be is for people to know.
  for (const { feed, reason } of answer.refused)
    if (reason === 'DIFFERENT') logger.warn('a replica differs', { storeId: who.store.storeId, replicaId: who.replica.replicaId, feed });
  await noteDifferences(deps, who.replica, answer.refused);
  return answer;
});
