import { Logger } from '@aws-lambda-powertools/logger';
import { consoleRequestSchema } from '../../protocol/messages/console.ts';
import { invokedFunction } from '../invoked-function.ts';
import { consoleApi } from './console-api.ts';
import { consoleDeps } from './deps.ts';

const logger = new Logger({ serviceName: 'console-api' });
const deps = consoleDeps();

/** Whoever may invoke this function may do everything; who it was is in the account's own trail, and says so here. */
export const handler = invokedFunction(logger, consoleRequestSchema, (request) => {
  const name = ('by' in request ? request.by : undefined) ?? 'the account';
  return consoleApi(deps, { name, subject: name, role: 'admin', via: 'IAM' }, request);
});
