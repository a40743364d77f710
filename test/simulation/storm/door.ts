import { Logger } from '@aws-lambda-powertools/logger';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda';
import { errorResponseSchema } from '../../../protocol/messages/error.ts';
import { turnedAway } from '../../../agent/transport/retry.ts';
import { SyncError } from '../../../protocol/sync-error.ts';
import type { VirtualTime } from './virtual-time.ts';

/**
 * The API of a stack: throttled as its template says, then a function of its own for each call, whose time is what it took here
 * and what its calls of the database take in AWS. What is turned away gets the service's bare 429, as in AWS.
 */
export interface Capacity {
  /** Of the stage: requests a second, and at once. */
  readonly ratePerS: number;
  readonly burst: number;
  /** Functions that run at the same time in the account. */
  readonly concurrency: number;
}

export type Handler = (event: APIGatewayProxyEventV2, context: Context) => Promise<APIGatewayProxyStructuredResultV2>;

/** A transaction or a read of DynamoDB, ms: p50 of what users report within a region. */
const DATABASE_MS = 6;
/** Calls of the database that a function makes one after the other, as a rule. */
const DATABASE_CALLS = 3;

/** A message's, of whatever library. */
export interface Schema<T> {
  parse(value: unknown): T;
}

export const quiet = () => new Logger({ serviceName: 'storm', logLevel: 'SILENT' });

export class Door {
  readonly answers = { 200: 0, 429: 0, other: 0 };
  readonly arrivals: number[] = [];
  readonly #time: VirtualTime;
  readonly #capacity: Capacity;
  readonly #handlers: Readonly<Record<string, Handler>>;
  #tokens: number;
  #filledAt: number;
  #running = 0;

  constructor(time: VirtualTime, capacity: Capacity, handlers: Readonly<Record<string, Handler>>) {
    this.#time = time;
    this.#capacity = capacity;
    this.#handlers = handlers;
    this.#tokens = capacity.burst;
    this.#filledAt = time.now;
  }

  /** As the agent's client reads it. */
  async post<T>(path: string, body: string, { authorization, schema }: { authorization: string; schema: Schema<T> }): Promise<T> {
    this.arrivals.push(this.#time.now);
    if (!this.#admit()) {
      this.answers[429] += 1;
      throw turnedAway();
    }
    this.#running += 1;
    const started = performance.now();
    const event = { headers: { authorization }, body, requestContext: { http: { method: 'POST', path } } };
    const handler = this.#handlers[path];
    if (handler === undefined) throw new Error(`no route ${path}`);
    const { statusCode, body: text } = await this.#time.work(() => handler(event as never, { awsRequestId: 'r' } as never));
    await this.#time.sleep(performance.now() - started + DATABASE_MS * DATABASE_CALLS);
    this.#running -= 1;
    const answer: unknown = JSON.parse(String(text));
    if (statusCode === 200) {
      this.answers[200] += 1;
      return schema.parse(answer);
    }
    this.answers.other += 1;
    const { error } = errorResponseSchema.parse(answer);
    throw new SyncError(error.code, error.message, error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs });
  }

  #admit(): boolean {
    const { ratePerS, burst, concurrency } = this.#capacity;
    this.#tokens = Math.min(burst, this.#tokens + ((this.#time.now - this.#filledAt) * ratePerS) / 1_000);
    this.#filledAt = this.#time.now;
    if (this.#tokens < 1 || this.#running >= concurrency) return false;
    this.#tokens -= 1;
    return true;
  }
}
