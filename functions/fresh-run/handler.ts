import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import middy from '@middy/core';
import { type FreshRunAnswer, freshRunRequestSchema } from '../../protocol/messages/fresh-run.ts';
import { documentClient, sqsClient } from '../aws/clients.ts';
import { DynamoFeedStore } from '../aws/dynamo-feed-store.ts';
import { DynamoStoreRegistry } from '../aws/dynamo-store-registry.ts';
import { SqsCompactionRequests } from '../aws/sqs-compaction-requests.ts';
import { environment, organization, systemIds } from '../runtime.ts';
import { freshRun } from './fresh-run.ts';

const env = environment('FEEDS_TABLE', 'STORES_TABLE', 'COMPACTION_QUEUE_URL');
const logger = new Logger({ serviceName: 'fresh-run' });
const documents = documentClient();
const deps = {
  registry: new DynamoStoreRegistry(documents, env.STORES_TABLE),
  feeds: new DynamoFeedStore(documents, env.FEEDS_TABLE),
  // Not quietly lost as elsewhere: asking is all that this function does, and the workflow comes back.
  compactions: new SqsCompactionRequests(sqsClient(), env.COMPACTION_QUEUE_URL),
  ids: systemIds,
  scopes: organization().scopes,
};

/** Called by the workflow only. An error is thrown and not answered, or the workflow would take it for a step that went well. */
export const handler = middy<unknown, FreshRunAnswer>()
  .use(injectLambdaContext(logger))
  .handler(async (event) => {
    const request = freshRunRequestSchema.parse(event);
    const answer = await freshRun(deps, request);
    logger.info('a step of a fresh run', { ...request, ...answer });
    return answer;
  });
