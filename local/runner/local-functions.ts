/**
 * The functions of the stack and how they are called: synchronously, or as Lambda's asynchronous calls with two
 * retries. Each function has a few threads at most; what comes in above that waits its turn.
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pLimit, { type LimitFunction } from 'p-limit';
import { must } from '../../protocol/assert.ts';
import type { FunctionDefinition } from '../wiring.ts';
import { FunctionThread } from './function-thread.ts';
import { LogFile } from './log-file.ts';
import type { InvokeResult } from './worker-messages.ts';

const THREADS_MAX = 4;
const ASYNC_RETRIES = 2;

interface Entry {
  readonly definition: FunctionDefinition;
  readonly environment: Record<string, string>;
  readonly log: LogFile;
  readonly limit: LimitFunction;
  readonly idle: FunctionThread[];
  readonly stats: { count: number; failed: number };
}

interface Options {
  readonly functions: readonly FunctionDefinition[];
  /** What every function gets beside its own environment. */
  readonly environment: (shortName: string) => Readonly<Record<string, string>>;
  /** Told of every invocation: the function's short name, and memory × time. */
  readonly onInvoked: (invoked: { readonly name: string; readonly gbMs: number }) => void;
  readonly logs: string;
  /** Functions with one thread only, by name: one batch at a time. */
  readonly single: ReadonlySet<string>;
}

export interface Invocation {
  readonly requestId: string;
  readonly result: InvokeResult;
}

export class LocalFunctions {
  readonly #entries: ReadonlyMap<string, Entry>;
  readonly #threads = new Set<FunctionThread>();
  readonly #stopping = new AbortController();
  #asyncCalls = 0;

  readonly #onInvoked: Options['onInvoked'];

  constructor({ functions, environment, onInvoked, logs, single }: Options) {
    this.#onInvoked = onInvoked;
    const entry = (definition: FunctionDefinition): Entry => ({
      definition,
      environment: { ...environment(definition.shortName), ...definition.environment, ...lambdaEnvironment(definition) },
      log: new LogFile(join(logs, `${definition.name}.log`)),
      limit: pLimit(single.has(definition.name) ? 1 : THREADS_MAX),
      idle: [],
      stats: { count: 0, failed: 0 },
    });
    this.#entries = new Map(functions.map((definition) => [definition.name, entry(definition)]));
  }

  has(name: string): boolean {
    return this.#entries.has(name);
  }

  /** Asynchronous calls that have not ended yet. */
  get asyncCalls(): number {
    return this.#asyncCalls;
  }

  stats(): Record<string, { count: number; failed: number }> {
    return Object.fromEntries([...this.#entries].map(([name, { stats }]) => [name, { ...stats }]));
  }

  /** `event` is JSON text. A failure of the function is a result, not an error. */
  async invoke(name: string, event: string): Promise<Invocation> {
    const entry = must(this.#entries.get(name), `there is no function ${name}`);
    const requestId = randomUUID();
    const result = await entry.limit(() => this.#run(entry, requestId, event));
    entry.stats.count += 1;
    if (!result.ok) entry.stats.failed += 1;
    return { requestId, result };
  }

  invokeEvent(name: string, event: string): void {
    this.#asyncCalls += 1;
    void this.#invokeWithRetries(name, event).finally(() => {
      this.#asyncCalls -= 1;
    });
  }

  async close(): Promise<void> {
    this.#stopping.abort();
    await Promise.all([...this.#threads].map((thread) => thread.stop()));
  }

  async #invokeWithRetries(name: string, event: string): Promise<void> {
    for (let attempt = 0; attempt <= ASYNC_RETRIES && !this.#stopping.signal.aborted; attempt += 1) {
      const { result } = await this.invoke(name, event);
      if (result.ok) return;
      // Lambda waits one minute, then two; on one machine seconds do.
      await sleep(1_000 * 2 ** attempt, undefined, { signal: this.#stopping.signal }).catch(() => {});
    }
  }

  async #run(entry: Entry, requestId: string, event: string): Promise<InvokeResult> {
    if (this.#stopping.signal.aborted) {
      return { ok: false, error: { errorType: 'Runtime.ExitError', errorMessage: 'the local stack is stopping' } };
    }
    const thread = entry.idle.pop() ?? this.#start(entry);
    const { definition, log } = entry;
    const startedAt = Date.now();
    const context = {
      awsRequestId: requestId,
      functionName: definition.name,
      invokedFunctionArn: definition.arn,
      memoryLimitInMB: String(definition.memoryMb),
      logGroupName: `/aws/lambda/${definition.name}`,
      deadlineMs: startedAt + definition.timeoutMs,
    };
    const result = await thread.invoke({ event, context });
    this.#onInvoked({ name: definition.shortName, gbMs: ((Date.now() - startedAt) * definition.memoryMb) / 1_024 });
    if (!result.ok) log.write(`${JSON.stringify({ requestId, ...result.error })}\n`);
    log.write(`REPORT RequestId: ${requestId} Duration: ${Date.now() - startedAt} ms\n`);
    if (thread.gone) this.#threads.delete(thread);
    else entry.idle.push(thread);
    return result;
  }

  #start(entry: Entry): FunctionThread {
    const thread = new FunctionThread(entry.definition, entry.environment, entry.log);
    this.#threads.add(thread);
    return thread;
  }
}

function lambdaEnvironment({ name, handler, memoryMb }: FunctionDefinition): Record<string, string> {
  return {
    _HANDLER: handler,
    AWS_LAMBDA_FUNCTION_NAME: name,
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(memoryMb),
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
  };
}
