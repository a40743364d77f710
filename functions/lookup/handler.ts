import { Logger } from '@aws-lambda-powertools/logger';
import { withheldFields } from '../../core/withheld-fields.ts';
import { lookupRequestSchema } from '../../protocol/messages/lookup.ts';
import { isSyncError } from '../../protocol/sync-error.ts';
import { documentClient } from '../aws/clients.ts';
import { DynamoLookupAllowance } from '../aws/dynamo-lookup-allowance.ts';
import { DynamoRecordStore } from '../aws/dynamo-record-store.ts';
import { agentDoor } from '../http/agent-door.ts';
import { authenticateOnce } from '../http/authenticate.ts';
import { httpFunction } from '../http/http-function.ts';
import { environment, organization, systemClock } from '../runtime.ts';
import { lookup } from './lookup.ts';

const env = environment('RECORDS_TABLE', 'STORES_TABLE');
const settings = organization();
const logger = new Logger({ serviceName: 'lookup' });
const documents = documentClient();
const door = agentDoor(documents, env.STORES_TABLE);
const deps = {
  records: new DynamoRecordStore(documents, env.RECORDS_TABLE),
  allowance: new DynamoLookupAllowance(documents, env.STORES_TABLE),
  clock: systemClock,
  settings: { withheld: new Set(withheldFields(settings.shareSensitiveFields)) },
};

/** Who asked, and with what outcome. Not for whom: a number has so few digits that a digest of it says it (INV-51). */
export const handler = httpFunction({ logger, clock: systemClock }, lookupRequestSchema, async (request) => {
  const who = await authenticateOnce(door, request);
  const { replicaId } = who.replica;
  try {
    const answer = await lookup(deps, who, request.body);
    logger.info('looked up', { replicaId, outcome: 'FOUND' });
    return answer;
  } catch (error) {
    logger.info('looked up', { replicaId, outcome: isSyncError(error) ? error.code : 'INTERNAL' });
    throw error;
  }
});
