import type { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import middy from '@middy/core';
import type * as z from 'zod';
import { SyncError, isSyncError } from '../protocol/sync-error.ts';
import { describeIssues, errorResponse } from './http/http-function.ts';
import { systemClock } from './runtime.ts';

/**
 * The door of functions that the command line invokes with its own identity: schema in, answer out, every refusal an
 * `ErrorResponse`. Only a bug ends as a function error. The schedule reads no answer: what it asked for and is refused
 * ends as a function error too, which is tried again, and which an alarm sees.
 */
export function invokedFunction<T>(logger: Logger, schema: z.ZodType<T>, run: (request: T) => Promise<object>) {
  return middy<unknown, object>()
    .use(injectLambdaContext(logger))
    .handler(async (event) => {
      try {
        const request = schema.safeParse(event);
        if (!request.success) throw new SyncError('INVALID_INPUT', describeIssues(request.error));
        return await run(request.data);
      } catch (error) {
        if (isSyncError(error) && !isScheduled(event)) return errorResponse(error, systemClock.now());
        throw error;
      }
    });
}

/** Whether an event is of a rule and not of a person. */
export function isScheduled(event: unknown): boolean {
  return typeof event === 'object' && event !== null && 'detail-type' in event;
}
