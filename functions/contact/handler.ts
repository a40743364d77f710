import { Logger } from '@aws-lambda-powertools/logger';
import { contactRequestSchema } from '../../protocol/messages/contact.ts';
import { documentClient, sfnClient } from '../aws/clients.ts';
import { DynamoFeedStore } from '../aws/dynamo-feed-store.ts';
import { DynamoRunStore } from '../aws/dynamo-run-store.ts';
import { DynamoUploadStore } from '../aws/dynamo-upload-store.ts';
import { SfnFreshWorkflows } from '../aws/sfn-fresh-workflows.ts';
import { agentDoor } from '../http/agent-door.ts';
import { authenticate, authenticateOnce } from '../http/authenticate.ts';
import { httpFunction } from '../http/http-function.ts';
import { environment, organization, systemClock } from '../runtime.ts';
import { beginsSomething, contact } from './contact.ts';

const env = environment('FEEDS_TABLE', 'STORES_TABLE', 'UPLOADS_TABLE', 'RECORDS_TABLE', 'FRESH_WORKFLOW_ARN');
const settings = organization();
const logger = new Logger({ serviceName: 'contact' });
const documents = documentClient();
const door = agentDoor(documents, env.STORES_TABLE);
const deps = {
  registry: door.registry,
  feeds: new DynamoFeedStore(documents, env.FEEDS_TABLE),
  uploads: new DynamoUploadStore(documents, { uploads: env.UPLOADS_TABLE, records: env.RECORDS_TABLE, stores: env.STORES_TABLE }),
  runs: new DynamoRunStore(documents, env.STORES_TABLE),
  workflows: new SfnFreshWorkflows(sfnClient(), env.FRESH_WORKFLOW_ARN),
  clock: systemClock,
  scopes: settings.scopes,
};

export const handler = httpFunction({ logger, clock: systemClock }, contactRequestSchema, async (request) => {
  const who = await (beginsSomething(request.body) ? authenticateOnce : authenticate)(door, request);
  return contact(deps, who, request.body);
});
