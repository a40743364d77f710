import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import middy from '@middy/core';
import { storeSettingsOf } from '../../protocol/store-settings.ts';
import { documentClient } from '../aws/clients.ts';
import { DynamoRolloutStore } from '../aws/dynamo-rollout-store.ts';
import { DynamoRunStore } from '../aws/dynamo-run-store.ts';
import { DynamoStoreRegistry } from '../aws/dynamo-store-registry.ts';
import { environment, hourMs, organization, systemClock } from '../runtime.ts';
import { watchRollout } from './watch-rollout.ts';

const env = environment('STORES_TABLE');
const settings = organization();
const logger = new Logger({ serviceName: 'watch-rollout' });
const documents = documentClient();
const deps = {
  rollouts: new DynamoRolloutStore(documents, env.STORES_TABLE),
  registry: new DynamoStoreRegistry(documents, env.STORES_TABLE),
  runs: new DynamoRunStore(documents, env.STORES_TABLE),
  clock: systemClock,
  hourMs: hourMs(),
  deployed: { settings: storeSettingsOf(settings), canary: settings.canary },
};

/** Every five minutes. A rollout that is stopped is said each time: whoever stopped it, somebody has to decide. */
export const handler = middy()
  .use(injectLambdaContext(logger))
  .handler(async () => {
    const { before, after } = await watchRollout(deps);
    if (before?.revision !== after.revision) logger.info('the rollout changed', { from: before?.state ?? null, rollout: after });
    if (after.state === 'STOPPED') {
      const { stoppedAt, stoppedBy, reason, rises } = after;
      logger.error('a rollout is stopped', { stoppedAt, stoppedBy, reason, rises });
    }
  });
