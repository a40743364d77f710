/**
 * An HTTP API of API Gateway, payload format 2.0: a request becomes an event, a function's answer a response. Pure
 * translation; whoever serves does the reading and writing.
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { ACCOUNT } from '../template.ts';

export interface GatewayResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly body: string | Uint8Array;
}

const TEXT_TYPES = /^(text\/|application\/(json|javascript|xml|x-www-form-urlencoded)|[^;]*\+(json|xml))/;

export function gatewayEvent(request: IncomingMessage, body: Buffer, routeKey: string): object {
  const url = new URL(request.url ?? '/', 'http://local');
  const { cookie, ...headers } = Object.fromEntries(
    Object.entries(request.headersDistinct).map(([name, values]) => [name, (values ?? []).join(',')] as const),
  );
  const method = request.method ?? 'GET';
  const now = new Date();
  const binary = body.length > 0 && !isText(headers['content-type'], headers['content-encoding']);
  const query = Object.fromEntries([...new Set(url.searchParams.keys())].map((key) => [key, url.searchParams.getAll(key).join(',')]));
  return {
    version: '2.0',
    routeKey,
    rawPath: url.pathname,
    rawQueryString: url.search.slice(1),
    ...(cookie === undefined ? {} : { cookies: cookie.split('; ') }),
    headers,
    ...(url.search === '' ? {} : { queryStringParameters: query }),
    requestContext: {
      accountId: ACCOUNT,
      apiId: 'local',
      domainName: headers['host'] ?? 'local',
      domainPrefix: 'local',
      http: {
        method,
        path: url.pathname,
        protocol: `HTTP/${request.httpVersion}`,
        sourceIp: request.socket.remoteAddress ?? '127.0.0.1',
        userAgent: headers['user-agent'] ?? '',
      },
      requestId: randomUUID(),
      routeKey,
      stage: '$default',
      time: now.toISOString(),
      timeEpoch: now.getTime(),
    },
    ...(body.length === 0 ? {} : { body: body.toString(binary ? 'base64' : 'utf8') }),
    isBase64Encoded: binary,
  };
}

/** A function's answer that names no status is the body itself, as JSON. */
export function gatewayResponse(payload: string): GatewayResponse {
  const answer = JSON.parse(payload) as unknown;
  if (typeof answer !== 'object' || answer === null || !('statusCode' in answer)) {
    return { status: 200, headers: { 'content-type': 'application/json' }, body: typeof answer === 'string' ? answer : payload };
  }
  const {
    statusCode,
    headers = {},
    cookies = [],
    body = '',
    isBase64Encoded = false,
  } = answer as Partial<Record<string, never>> & {
    statusCode: unknown;
    headers?: Record<string, string | number | boolean>;
    cookies?: string[];
    body?: string;
    isBase64Encoded?: boolean;
  };
  const lowerCase = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)] as const));
  return {
    status: Number(statusCode),
    headers: { 'content-type': 'text/plain; charset=utf-8', ...lowerCase, ...(cookies.length === 0 ? {} : { 'set-cookie': cookies }) },
    body: isBase64Encoded ? Buffer.from(body, 'base64') : body,
  };
}

export function gatewayMessage(status: number, message: string): GatewayResponse {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify({ message }) };
}

function isText(contentType: string | undefined, contentEncoding: string | undefined): boolean {
  return contentEncoding === undefined && (contentType === undefined || TEXT_TYPES.test(contentType));
}
