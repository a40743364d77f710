import { userInfo } from 'node:os';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { ExponentialBackoff, handleWhen, retry } from 'cockatiel';
import type * as z from 'zod';
import { compactResponseSchema } from '../protocol/messages/compact.ts';
import { type ConsoleRequest, consoleResponseSchemas, isNamed } from '../protocol/messages/console.ts';
import { type RebuildRequest, rebuildResponseSchemas } from '../protocol/messages/rebuild.ts';
import { type EraseRequest, eraseResponseSchemas } from '../protocol/messages/erase.ts';
import { errorResponseSchema } from '../protocol/messages/error.ts';
import { PROTOCOL_VERSION } from '../protocol/version.ts';
import { SyncError, isSyncError } from '../protocol/sync-error.ts';
import { typedError } from './aws-errors.ts';
import type { Caller } from './people/caller.ts';
import type { Place } from './place.ts';

/**
 * Head office, as the command line reaches it: its functions are invoked with the caller's own AWS identity, or the console's operations are
 * asked for over HTTP in the name of a person (`people/caller.ts`).
 * What passes is retried with jitter; what does not is a typed error.
 */
type Answers = { [Op in keyof typeof consoleResponseSchemas]: z.infer<(typeof consoleResponseSchemas)[Op]> };

const TRIES = 6;

export class HeadOffice {
  readonly #client: LambdaClient;
  readonly #functions: Place['functions'];
  readonly #api: string;
  readonly #caller: Caller;
  readonly #retry = retry(
    handleWhen((error) => isSyncError(error, 'UNAVAILABLE') || isSyncError(error, 'CONFLICT')),
    { maxAttempts: TRIES, backoff: new ExponentialBackoff({ initialDelay: 100, maxDelay: 5_000 }) },
  );

  constructor({ functions, region, lambda, profile, api }: Place, caller: Caller) {
    this.#caller = caller;
    this.#functions = functions;
    this.#api = api;
    this.#client = new LambdaClient({
      region,
      ...(lambda === undefined ? {} : { endpoint: lambda, credentials: { accessKeyId: 'local', secretAccessKey: 'local' } }),
      ...(profile === undefined ? {} : { profile }),
    });
  }

  async call<Op extends ConsoleRequest['op']>(request: Extract<ConsoleRequest, { op: Op }>): Promise<Answers[Op]> {
    const caller = this.#caller;
    const asked = isNamed(request.op) ? { by: userInfo().username, ...request } : request;
    // Outside of what is tried again: a renewal that is waited for is waited for once.
    const token = caller.kind === 'aws' ? null : await caller.token();
    const answer = await this.#retry.execute(() => (token === null ? this.#invoke('console-api', asked) : this.#ask(request, token)));
    return consoleResponseSchemas[request.op].parse(answer) as Answers[Op];
  }

  /** What follows the beginning of an undertaking goes by AWS credentials: said before anything is begun. */
  async requireCredentials(): Promise<void> {
    await this.#client.config.credentials().catch((error: unknown) => {
      throw typedError(error, 'head office');
    });
  }

  async compact(feeds: readonly string[] | undefined): Promise<z.infer<typeof compactResponseSchema>> {
    const answer = await this.#retry.execute(() => this.#invoke('compact', feeds === undefined ? {} : { feeds }));
    return compactResponseSchema.parse(answer);
  }

  /** A step, and the undertaking that it is part of; null: it changes nothing. */
  async rebuild<Op extends RebuildRequest['op']>(
    undertakingId: string | null,
    step: Extract<RebuildRequest, { op: Op }>,
  ): Promise<z.infer<(typeof rebuildResponseSchemas)[Op]>> {
    const answer = await this.#retry.execute(() => this.#invoke('rebuild', { ...part(undertakingId), step }));
    return rebuildResponseSchemas[step.op].parse(answer) as z.infer<(typeof rebuildResponseSchemas)[Op]>;
  }

  async erase<Op extends EraseRequest['op']>(
    undertakingId: string | null,
    step: Extract<EraseRequest, { op: Op }>,
  ): Promise<z.infer<(typeof eraseResponseSchemas)[Op]>> {
    const answer = await this.#retry.execute(() => this.#invoke('erase', { ...part(undertakingId), step }));
    return eraseResponseSchemas[step.op].parse(answer) as z.infer<(typeof eraseResponseSchemas)[Op]>;
  }

  async #invoke(name: string, payload: unknown): Promise<unknown> {
    const FunctionName = this.#functions[name];
    if (FunctionName === undefined) throw new SyncError('LOCAL_STACK', `this head office has no function ${name}`);
    const command = new InvokeCommand({ FunctionName, Payload: JSON.stringify(payload) });
    const answer = await this.#client.send(command).catch((error: unknown) => {
      throw typedError(error, 'head office');
    });
    const text = new TextDecoder().decode(answer.Payload);
    if (answer.FunctionError !== undefined) throw new SyncError('INTERNAL', `${name} failed: ${text.slice(0, 500)}`);
    return answerOf(JSON.parse(text));
  }

  /** The same over HTTP, in the name of whose token it is. */
  async #ask(request: ConsoleRequest, token: string): Promise<unknown> {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
    const body = JSON.stringify({ protocol: PROTOCOL_VERSION, request });
    try {
      const response = await fetch(`${this.#api}/v1/console`, { method: 'POST', headers, body, redirect: 'error' });
      return answerOf(await response.json());
    } catch (error) {
      if (isSyncError(error)) throw error;
      throw new SyncError('CONNECTIVITY', `head office does not answer: ${(error as Error).message}`, { cause: error });
    }
  }
}

function part(undertakingId: string | null): { undertakingId?: string } {
  return undertakingId === null ? {} : { undertakingId };
}

function answerOf(body: unknown): unknown {
  const failed = errorResponseSchema.safeParse(body);
  if (!failed.success) return body;
  const { code, message, retryAfterMs } = failed.data.error;
  throw new SyncError(code, message, retryAfterMs === undefined ? {} : { retryAfterMs });
}
