import { Logger } from '@aws-lambda-powertools/logger';
import * as z from 'zod';
import { consoleDeps } from '../console-api/deps.ts';
import { httpFunction } from '../http/http-function.ts';
import { createCounts } from '../counts.ts';
import { isSyncError } from '../../protocol/sync-error.ts';
import { environment, systemClock } from '../runtime.ts';
import { consoleFor } from './console.ts';
import { personOf } from './identity.ts';
import { providerKeys } from './provider-keys.ts';

const { OIDC_ISSUER: issuer, OIDC_AUDIENCE: audience } = environment('OIDC_ISSUER', 'OIDC_AUDIENCE');
const logger = new Logger({ serviceName: 'console' });
const deps = consoleDeps();
const count = createCounts(deps.organization.name);
const identity = { keys: providerKeys(issuer), issuer, audience, now: () => systemClock.now() };
const bodySchema = z.strictObject({ protocol: z.int(), request: z.unknown() });

export const handler = httpFunction({ logger, clock: systemClock }, bodySchema, async ({ headers, body }) => {
  try {
    const person = await personOf(identity, headers['authorization']);
    return await consoleFor(deps, person, body.request);
  } catch (error) {
    count('console-refused', isSyncError(error, 'UNAUTHORIZED') || isSyncError(error, 'FORBIDDEN') ? 1 : 0);
    throw error;
  }
});
