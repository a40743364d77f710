import type { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import middy from '@middy/core';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import type * as z from 'zod';
import { correlationOf } from './correlation.ts';
import type { Clock } from '../../core/ports/clock.ts';
import { errorCodes } from '../../protocol/error-codes.ts';
import { limits } from '../../protocol/limits.ts';
import type { ErrorResponse } from '../../protocol/messages/error.ts';
import { SyncError, isSyncError } from '../../protocol/sync-error.ts';
import { PROTOCOL_VERSION, PROTOCOL_VERSION_MIN } from '../../protocol/version.ts';

/**
 * The door of every HTTP function: size limit, JSON, schema, protocol version; every refusal a typed error with the
 * server's time in it. What is not a `SyncError` is a bug: logged under the request id and answered as `INTERNAL`.
 */
export interface HttpRequest<T> {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** The bytes as they came, for the signature. */
  readonly rawBody: Uint8Array;
  readonly body: T;
  /** Where it came from, as API Gateway saw it. */
  readonly address: string;
}

interface HttpFunctionDeps {
  readonly logger: Logger;
  readonly clock: Clock;
}

export function httpFunction<T extends { protocol: number }>(
  deps: HttpFunctionDeps,
  schema: z.ZodType<T>,
  run: (request: HttpRequest<T>) => Promise<object>,
) {
  return middy<APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2>()
    .use(injectLambdaContext(deps.logger, { resetKeys: true }))
    .handler(async (event) => {
      const correlationId = correlationOf(event.headers);
      if (correlationId !== undefined) deps.logger.appendKeys({ correlationId });
      try {
        return answer(200, await run(readRequest(event, schema)));
      } catch (error) {
        const known = isSyncError(error) ? error : new SyncError('INTERNAL', 'something went wrong at head office', { cause: error });
        if (known.code === 'INTERNAL') deps.logger.error('request failed', error as Error);
        // By its code: a message may name whom it is about (INV-51).
        else deps.logger.info('request refused', { code: known.code });
        return answer(known.status, errorResponse(known, deps.clock.now()));
      }
    });
}

export function errorResponse(error: SyncError, now: number): ErrorResponse {
  return {
    error: {
      code: error.code,
      message: error.message,
      remedy: errorCodes[error.code].remedy,
      ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }),
      ...(error.details === undefined ? {} : { details: { ...error.details } }),
    },
    serverTime: new Date(now).toISOString(),
  };
}

function readRequest<T extends { protocol: number }>(event: APIGatewayProxyEventV2, schema: z.ZodType<T>): HttpRequest<T> {
  const rawBody = Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8');
  if (rawBody.length > limits.requestBytesMax)
    throw new SyncError('INVALID_INPUT', `the body has more than ${limits.requestBytesMax} bytes`);
  const body = parseJson(rawBody.toString('utf8'));
  refuseOtherVersions(body);
  const parsed = schema.safeParse(body);
  if (!parsed.success) throw new SyncError('INVALID_INPUT', describeIssues(parsed.error));
  return {
    method: event.requestContext.http.method,
    path: event.requestContext.http.path,
    headers: event.headers,
    rawBody,
    body: parsed.data,
    address: event.requestContext.http.sourceIp,
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new SyncError('INVALID_INPUT', 'the body is not JSON', { cause });
  }
}

/** Before the schema, because another version may have another schema. */
function refuseOtherVersions(body: unknown): void {
  const version = typeof body === 'object' && body !== null ? (body as { protocol?: unknown }).protocol : undefined;
  if (typeof version === 'number') refuseUnserved(version, { min: PROTOCOL_VERSION_MIN, max: PROTOCOL_VERSION });
}

export function refuseUnserved(version: number, served: { readonly min: number; readonly max: number }): void {
  if (version >= served.min && version <= served.max) return;
  const what =
    version < served.min
      ? 'the agent is too old. Update the agent; the till goes on selling and nothing it records is lost'
      : 'the agent is newer than head office. Deploy head office first, or put the older agent back';
  throw new SyncError('PROTOCOL_UNSUPPORTED', `head office speaks protocol ${served.min} to ${served.max}, not ${version}: ${what}`, {
    details: { ...served },
  });
}

export function describeIssues(error: z.ZodError): string {
  return error.issues
    .slice(0, 5)
    .map((issue) => `${issue.path.join('.') || 'body'}: ${issue.message}`)
    .join('; ');
}

function answer(statusCode: number, body: object): APIGatewayProxyStructuredResultV2 {
  return { statusCode, headers: { 'content-type': 'application/json', 'cache-control': 'no-store' }, body: JSON.stringify(body) };
}
