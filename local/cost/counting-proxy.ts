import { Agent, type IncomingMessage, type ServerResponse, createServer, request as httpRequest } from 'node:http';
import type { GuardedRequest, GuardedService } from '../access/denial.ts';
import type { Denial } from '../access/guard.ts';
import { refusalOf } from '../access/refusal.ts';
import type { CostMeter } from './meter.ts';
import { countDynamo, countS3, countSqs } from './count-exchange.ts';

/**
 * Stands between the functions and the emulators, asks whether a call is allowed, and counts. Each function gets addresses with its
 * name in their path, so that what is asked for is known by who asked. Bytes pass as they are, except that DynamoDB is asked for
 * the units it consumed.
 */
export interface CountingProxy {
  /** The address of a service for one function. */
  endpoint(service: GuardedService, name: string): string;
  /** From now on; until then every call is refused. */
  guard(denial: Denial): void;
  close(): Promise<void>;
}

/** What a workflow is billed by is counted where it runs. */
const COUNTERS = { dynamodb: countDynamo, s3: countS3, sqs: countSqs, sfn: () => {} } as const;

export async function startCountingProxy(targets: Readonly<Record<GuardedService, string>>, meter: CostMeter): Promise<CountingProxy> {
  const agent = new Agent({ keepAlive: true });
  let guard = refuseAll;
  const server = createServer((request, response) => {
    void forward({ request, response, targets, agent, meter, denial: (...call) => guard(...call) }).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const origin = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
  return {
    guard: (asked) => {
      guard = asked;
    },
    endpoint: (service, name) => `${origin}/${service}/${name}`,
    close: async () => {
      agent.destroy();
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

const refuseAll: Denial = (name) => `${name} is not authorized: nothing is known of roles yet`;

interface Forwarding {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly targets: Readonly<Record<GuardedService, string>>;
  readonly agent: Agent;
  readonly meter: CostMeter;
  readonly denial: Denial;
}

async function forward({ request, response, targets, agent, meter, denial }: Forwarding): Promise<void> {
  const [, service = '', name = '', path = ''] = /^\/([a-z0-9]+)\/([^/?]+)(.*)$/.exec(request.url ?? '') ?? [];
  if (!isGuarded(service)) {
    response.writeHead(404).end();
    return;
  }
  const body = withConsumption(service, await readAll(request));
  const { method = '' } = request;
  const asked = { service, method, path, headers: request.headers, body };
  const denied = denial(name, asked);
  if (denied !== null) return refuse(response, asked, denied);
  const target = new URL(targets[service]);
  const headers = { ...request.headers, host: target.host, 'content-length': String(body.length) };
  const options = {
    agent,
    host: target.hostname,
    port: target.port,
    method,
    path: path.startsWith('/') ? path : `/${path}`,
    headers,
  };
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    httpRequest(options, resolve).on('error', reject).end(body);
  });
  const answered = await readAll(answer);
  const hidden = service === 's3' && answer.statusCode === 404 ? denial(name, { ...asked, missing: true }) : null;
  if (hidden !== null) return refuse(response, asked, hidden);
  const { statusCode: status = 502 } = answer;
  COUNTERS[service]({ ...asked, status, answer: answered }, (metric, amount) => meter.count(metric, amount, { operation: name }));
  const length = method === 'HEAD' ? {} : { 'content-length': String(answered.length) };
  response.writeHead(status, { ...without(answer.headers), ...length });
  response.end(answered);
}

function isGuarded(service: string): service is GuardedService {
  return Object.hasOwn(COUNTERS, service);
}

function refuse(response: ServerResponse, request: GuardedRequest, message: string): void {
  const { status, headers, body } = refusalOf(request, message);
  response.writeHead(status, headers).end(body);
}

function withConsumption(service: GuardedService, body: Buffer): Buffer {
  if (service !== 'dynamodb' || body.length === 0) return body;
  const asked = JSON.parse(body.toString('utf8')) as Record<string, unknown>;
  return Buffer.from(JSON.stringify({ ...asked, ReturnConsumedCapacity: 'TOTAL' }));
}

function without(headers: IncomingMessage['headers']): IncomingMessage['headers'] {
  const { 'transfer-encoding': _, connection: __, 'x-amz-crc32': ___, ...rest } = headers;
  return rest;
}

async function readAll(stream: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of stream as AsyncIterable<Buffer>) parts.push(part);
  return Buffer.concat(parts);
}
