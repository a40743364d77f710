/**
 * The one address of the local stack: the template's HTTP API, the Lambda Invoke API, `/_local/state` and `/console`.
 * Listens on the loopback address only, and before everything else, so that a port that is taken is known first.
 */
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { SyncError } from '../../protocol/sync-error.ts';
import type { LocalState } from '../../protocol/local-stack.ts';
import type { CostMeter } from '../cost/meter.ts';
import type { LocalFunctions } from '../runner/local-functions.ts';
import type { RouteDefinition } from '../wiring.ts';
import { type GatewayResponse, gatewayEvent, gatewayMessage, gatewayResponse } from './gateway.ts';
import { invokeApi, invokedFunction } from './lambda-api.ts';

export interface FrontParts {
  readonly functions: LocalFunctions;
  readonly routes: readonly RouteDefinition[];
  readonly state: () => Promise<LocalState>;
  /** HTML of the read-only page. */
  readonly page: () => Promise<string>;
  readonly meter: CostMeter;
}

export interface Front {
  readonly origin: string;
  /** Until then every request is answered with 503. */
  open(parts: FrontParts): void;
  close(): Promise<void>;
}

/** What API Gateway takes, what Lambda takes, and how long an HTTP API waits. */
const BODY_BYTES_MAX = 10 << 20;
const EVENT_BYTES_MAX = 6 << 20;
const INTEGRATION_MS = 30_000;

export async function startFront(port: number, log: (message: string) => void): Promise<Front> {
  let parts: FrontParts | null = null;
  const server = createServer((request, response) => {
    void answer(request, parts)
      .catch((error: Error) => {
        log(`${request.method} ${request.url}: ${error.stack ?? error.message}`);
        return gatewayMessage(500, 'Internal Server Error');
      })
      .then((result) => write(response, result));
  });
  await listen(server, port);
  const address = server.address();
  return {
    origin: `http://127.0.0.1:${typeof address === 'object' ? address?.port : port}`,
    open: (ready) => {
      parts = ready;
    },
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answer(request: IncomingMessage, parts: FrontParts | null): Promise<GatewayResponse> {
  const { method } = request;
  const { pathname } = new URL(request.url ?? '/', 'http://local');
  const body = await readBody(request);
  if (body === null) return gatewayMessage(413, 'Request Entity Too Large');
  if (parts === null) return gatewayMessage(503, 'Service Unavailable');
  const invoked = invokedFunction(method, pathname);
  if (invoked !== null) return invokeApi(parts.functions, invoked, { headers: request.headers, body });
  if (method === 'GET' && pathname === '/_local/state') {
    return { status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(await parts.state()) };
  }
  if (method === 'GET' && pathname === '/_local/cost') {
    return { status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(parts.meter.report()) };
  }
  if (method === 'GET' && pathname === '/console') {
    const headers = {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
    };
    return { status: 200, headers, body: await parts.page() };
  }
  const route = parts.routes.find(({ key }) => key === `${method} ${pathname}`);
  if (route === undefined) return gatewayMessage(404, 'Not Found');
  const result = await callRoute(parts.functions, route, gatewayEvent(request, body, route.key));
  const by = { operation: 'store', store: storeOf(request.headers.authorization) };
  parts.meter.count('api.requests', 1, by);
  parts.meter.count('egress.bytes', Buffer.byteLength(result.body), by);
  return result;
}

/** The store a request says it is of, for counting only: the function checks the signature. */
function storeOf(authorization: string | undefined): string | null {
  try {
    const header = JSON.parse(Buffer.from(authorization?.split(' ')[1]?.split('.')[0] ?? '', 'base64url').toString('utf8')) as {
      kid?: unknown;
    };
    return typeof header.kid === 'string' ? (header.kid.split(':')[0] ?? null) : null;
  } catch {
    return null;
  }
}

async function callRoute(functions: LocalFunctions, route: RouteDefinition, event: object): Promise<GatewayResponse> {
  const text = JSON.stringify(event);
  if (Buffer.byteLength(text) > EVENT_BYTES_MAX) return gatewayMessage(413, 'Request Entity Too Large');
  const timer = new AbortController();
  const late = sleep(INTEGRATION_MS, null, { signal: timer.signal }).catch(() => null);
  const invocation = await Promise.race([functions.invoke(route.function.name, text), late]);
  timer.abort();
  if (invocation === null) return gatewayMessage(503, 'Service Unavailable');
  const { result, requestId } = invocation;
  if (!result.ok || Buffer.byteLength(result.payload) > EVENT_BYTES_MAX) return gatewayMessage(500, 'Internal Server Error');
  const response = gatewayResponse(result.payload);
  return { ...response, headers: { ...response.headers, 'apigw-requestid': requestId } };
}

/** null: larger than API Gateway takes. What is left of it is read and dropped, so that the answer arrives. */
async function readBody(request: IncomingMessage): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= BODY_BYTES_MAX) chunks.push(chunk);
    else chunks.length = 0;
  }
  return size > BODY_BYTES_MAX ? null : Buffer.concat(chunks);
}

function write(response: ServerResponse, { status, headers, body }: GatewayResponse): void {
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

async function listen(server: Server, port: number): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === 'EADDRINUSE' ? 'something else listens on it' : code === 'EACCES' ? 'this user may not use it' : message;
    throw new SyncError('LOCAL_STACK', `port ${port} cannot be used: ${why}. Give another --port, or none for a free one.`, {
      cause: error,
    });
  }
}
