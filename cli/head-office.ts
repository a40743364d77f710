import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { ExponentialBackoff, handleWhen, retry } from 'cockatiel';
import type * as z from 'zod';
import { type ConsoleRequest, compactResponseSchema, consoleResponseSchemas } from '../protocol/messages/console.ts';
import { type RebuildRequest, rebuildResponseSchemas } from '../protocol/messages/rebuild.ts';
import { type EraseRequest, eraseResponseSchemas } from '../protocol/messages/erase.ts';
import { errorResponseSchema } from '../protocol/messages/error.ts';
import type { LocalStack } from '../protocol/local-stack.ts';
import { SyncError, isSyncError } from '../protocol/sync-error.ts';
import { typedError } from './aws-errors.ts';

/**
 * Head office, as the command line reaches it: its functions are invoked with the caller's own AWS identity.
 * What passes is retried with jitter; what does not is a typed error.
 */
type Answers = { [Op in keyof typeof consoleResponseSchemas]: z.infer<(typeof consoleResponseSchemas)[Op]> };

/** Without endpoints it is AWS, as the environment or a profile has credentials for it. */
interface Place extends Pick<LocalStack, 'functions' | 'region'> {
  readonly endpoints?: Pick<LocalStack['endpoints'], 'lambda'>;
  readonly profile?: string;
}

const TRIES = 6;

export class HeadOffice {
  readonly #client: LambdaClient;
  readonly #functions: LocalStack['functions'];
  readonly #retry = retry(
    handleWhen((error) => isSyncError(error, 'UNAVAILABLE') || isSyncError(error, 'CONFLICT')),
    { maxAttempts: TRIES, backoff: new ExponentialBackoff({ initialDelay: 100, maxDelay: 5_000 }) },
  );

  constructor(stack: Place) {
    const { functions, region, endpoints, profile } = stack;
    this.#functions = functions;
    this.#client = new LambdaClient({
      region,
      ...(endpoints === undefined ? {} : { endpoint: endpoints.lambda, credentials: { accessKeyId: 'local', secretAccessKey: 'local' } }),
      ...(profile === undefined ? {} : { profile }),
    });
  }

  async call<Op extends ConsoleRequest['op']>(request: Extract<ConsoleRequest, { op: Op }>): Promise<Answers[Op]> {
    const answer = await this.#retry.execute(() => this.#invoke('console-api', request));
    return consoleResponseSchemas[request.op].parse(answer) as Answers[Op];
  }

  async compact(feeds: readonly string[] | undefined): Promise<z.infer<typeof compactResponseSchema>> {
    const answer = await this.#retry.execute(() => this.#invoke('compact', feeds === undefined ? {} : { feeds }));
    return compactResponseSchema.parse(answer);
  }

  async rebuild<Op extends RebuildRequest['op']>(
    request: Extract<RebuildRequest, { op: Op }>,
  ): Promise<z.infer<(typeof rebuildResponseSchemas)[Op]>> {
    const answer = await this.#retry.execute(() => this.#invoke('rebuild', request));
    return rebuildResponseSchemas[request.op].parse(answer) as z.infer<(typeof rebuildResponseSchemas)[Op]>;
  }

  async erase<Op extends EraseRequest['op']>(
    request: Extract<EraseRequest, { op: Op }>,
  ): Promise<z.infer<(typeof eraseResponseSchemas)[Op]>> {
    const answer = await this.#retry.execute(() => this.#invoke('erase', request));
    return eraseResponseSchemas[request.op].parse(answer) as z.infer<(typeof eraseResponseSchemas)[Op]>;
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
    const body = JSON.parse(text) as unknown;
    const failed = errorResponseSchema.safeParse(body);
    if (failed.success) {
      const { code, message, retryAfterMs } = failed.data.error;
      throw new SyncError(code, message, retryAfterMs === undefined ? {} : { retryAfterMs });
    }
    return body;
  }
}
