import { Logger } from '@aws-lambda-powertools/logger';
import { withheldFields } from '../../core/withheld-fields.ts';
import { redeemRequestSchema } from '../../protocol/messages/redeem.ts';
import { documentClient } from '../aws/clients.ts';
import { DynamoRecordStore } from '../aws/dynamo-record-store.ts';
import { agentDoor } from '../http/agent-door.ts';
import { authenticateOnce } from '../http/authenticate.ts';
import { httpFunction } from '../http/http-function.ts';
import { createCounts } from '../counts.ts';
import { environment, organization, systemClock, systemIds } from '../runtime.ts';
import { redeem } from './redeem.ts';

const env = environment('RECORDS_TABLE', 'STORES_TABLE');
const settings = organization();
const logger = new Logger({ serviceName: 'redeem' });
const count = createCounts(settings.name);
const documents = documentClient();
const door = agentDoor(documents, env.STORES_TABLE);
const deps = {
  records: new DynamoRecordStore(documents, env.RECORDS_TABLE, env.STORES_TABLE),
  clock: systemClock,
  ids: systemIds,
  settings: { scopes: settings.scopes, withheld: new Set(withheldFields(settings.shareSensitiveFields)) },
};

export const handler = httpFunction({ logger, clock: systemClock }, redeemRequestSchema, async (request) => {
  const caller = await authenticateOnce(door, request);
  const answer = await redeem(deps, caller, request.body);
  logger.info('redemption', { replicaId: caller.replica.replicaId, collection: request.body.collection, outcome: answer.outcome });
  count('redemptions-declined', answer.outcome === 'DECLINED' ? 1 : 0);
  return answer;
});
