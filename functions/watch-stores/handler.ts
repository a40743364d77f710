import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import middy from '@middy/core';
import { documentClient } from '../aws/clients.ts';
import { DynamoStoreRegistry } from '../aws/dynamo-store-registry.ts';
import { environment, organization, systemClock } from '../runtime.ts';
import { awayReplicas } from './watch-stores.ts';

const env = environment('STORES_TABLE');
const logger = new Logger({ serviceName: 'watch-stores' });
const deps = {
  registry: new DynamoStoreRegistry(documentClient(), env.STORES_TABLE),
  clock: systemClock,
  expectedEveryHours: organization().expectedEveryHours,
};

/** Once an hour: a line for every store that did not come when it was expected, or falls behind the horizon. */
export const handler = middy()
  .use(injectLambdaContext(logger))
  .handler(async () => {
    const away = await awayReplicas(deps);
    // Not `level`: that is what the logger calls its own.
    for (const { level: horizon, ...replica } of away) {
      if (horizon === 'FINE') logger.error('a store did not come when it was expected', { ...replica, horizon });
      else if (horizon === 'HALF') logger.warn('a store was not heard of for half of the horizon', { ...replica, horizon });
      else logger.error('a store is near or beyond the horizon', { ...replica, horizon });
    }
    logger.info('stores watched', { away: away.length, overdue: away.filter(({ isOverdue }) => isOverdue).length });
  });
