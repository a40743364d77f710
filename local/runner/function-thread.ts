/** One execution environment of a function: its thread, and what becomes of an invocation when the thread does not answer. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { SyncError } from '../../protocol/sync-error.ts';
import type { FunctionDefinition } from '../wiring.ts';
import type { LogFile } from './log-file.ts';
import type { InvokeMessage, InvokeResult, WorkerMessage, WorkerStart } from './worker-messages.ts';

/** Lambda's limit for loading the module. */
const INIT_MS = 10_000;

export class FunctionThread {
  readonly #definition: FunctionDefinition;
  readonly #worker: Worker;
  readonly #ready: Promise<InvokeResult | null>;
  #answer: ((result: InvokeResult) => void) | null = null;
  #gone = false;

  constructor(definition: FunctionDefinition, environment: Record<string, string>, log: LogFile) {
    this.#definition = definition;
    this.#worker = new Worker(new URL('function-worker.ts', import.meta.url), {
      workerData: workerStart(definition),
      env: environment,
      execArgv: [],
      stdout: true,
      stderr: true,
      resourceLimits: { maxOldGenerationSizeMb: definition.memoryMb },
    });
    this.#worker.stdout.on('data', (chunk: Buffer) => log.write(chunk));
    this.#worker.stderr.on('data', (chunk: Buffer) => log.write(chunk));
    this.#ready = this.#listen(log);
  }

  get gone(): boolean {
    return this.#gone;
  }

  async invoke(message: InvokeMessage): Promise<InvokeResult> {
    const initFailure = await this.#ready;
    if (initFailure !== null) return initFailure;
    const answered = new Promise<InvokeResult>((resolve) => {
      this.#answer = resolve;
    });
    if (this.#gone) return exited('the thread ended');
    this.#worker.postMessage(message, []);
    const timer = new AbortController();
    const { timeoutMs } = this.#definition;
    const late = sleep(timeoutMs, null, { signal: timer.signal }).catch(() => null);
    const result = await Promise.race([answered, late]);
    timer.abort();
    this.#answer = null;
    if (result !== null) return result;
    await this.stop();
    const errorMessage = `RequestId: ${message.context.awsRequestId} Error: Task timed out after ${(timeoutMs / 1_000).toFixed(2)} seconds`;
    return { ok: false, error: { errorType: 'Sandbox.Timedout', errorMessage } };
  }

  async stop(): Promise<void> {
    this.#gone = true;
    await this.#worker.terminate();
  }

  /** Resolves with null when the handler is loaded, or with why it is not. */
  async #listen(log: LogFile): Promise<InvokeResult | null> {
    const { promise, resolve } = Promise.withResolvers<InvokeResult | null>();
    const end = (why: string) => {
      this.#gone = true;
      log.write(`${why}\n`);
      resolve(exited(why));
      this.#answer?.(exited(why));
    };
    this.#worker.on('message', (message: WorkerMessage) => {
      if ('ready' in message) resolve(null);
      else if ('initError' in message) resolve({ ok: false, error: message.initError });
      else this.#answer?.(message.result);
    });
    this.#worker.on('error', (error: Error) => end(`the thread failed: ${error.stack ?? error.message}`));
    this.#worker.on('exit', (code) => end(`the thread ended with ${code}`));
    const timer = setTimeout(() => resolve(exited('the module was not loaded within 10 s')), INIT_MS);
    const result = await promise;
    clearTimeout(timer);
    if (result !== null) void this.stop();
    return result;
  }
}

function exited(why: string): InvokeResult {
  return { ok: false, error: { errorType: 'Runtime.ExitError', errorMessage: `Runtime exited: ${why}` } };
}

function workerStart({ name, folder, handler }: FunctionDefinition): WorkerStart {
  const dot = handler.lastIndexOf('.');
  const base = join(folder, handler.slice(0, dot));
  const file = ['.mjs', '.js', '.cjs'].map((extension) => base + extension).find((path) => existsSync(path));
  if (file === undefined) throw new SyncError('LOCAL_STACK', `the bundle of ${name} has no ${base}.mjs`);
  return { file, exportName: handler.slice(dot + 1) };
}
