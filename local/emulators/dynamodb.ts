/**
 * DynamoDB with streams: the `dynoxide` binary over one SQLite file, or whatever `AWS_ENDPOINT_URL_DYNAMODB` names.
 *
 * The emulator never outlives us: a shell waits on a pipe that only we hold open and stops it when the pipe closes,
 * which also happens when we are killed. If it dies first it is started again on the same port and file.
 *
 * Its table of stream records has no index, and every write asks it for the highest sequence number of the table, so
 * that writes cost more the more was ever written. We add the two indexes to its file (measured: 20 ms per transaction
 * of 100 items, and constant). Only to our own emulator's file.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { SyncError } from '../../protocol/sync-error.ts';

export interface DynamoEmulator {
  readonly endpoint: string;
  /** Call when the tables exist. */
  indexStreams(): void;
  close(): Promise<void>;
}

interface Options {
  readonly folder: string;
  readonly endpoint: string | undefined;
  readonly log: (message: string) => void;
}

const START_MS = 10_000;
const STREAM_INDEXES = `
  CREATE INDEX IF NOT EXISTS storeline_stream_sequence ON _stream_records(table_name, CAST(sequence_number AS INTEGER));
  CREATE INDEX IF NOT EXISTS storeline_stream_shard ON _stream_records(table_name, shard_id, sequence_number);`;

export async function startDynamo({ folder, endpoint, log }: Options): Promise<DynamoEmulator> {
  if (endpoint !== undefined) return { endpoint, indexStreams: () => {}, close: async () => {} };
  const emulator = new Dynoxide(join(folder, 'dynamodb.sqlite'), log);
  await emulator.start();
  return emulator;
}

class Dynoxide implements DynamoEmulator {
  readonly #binary = findBinary();
  readonly #file: string;
  readonly #log: (message: string) => void;
  #port = 0;
  #child: ChildProcess | null = null;
  #closing = false;

  constructor(file: string, log: (message: string) => void) {
    this.#file = file;
    this.#log = log;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async start(): Promise<void> {
    this.#port = await freePort();
    await this.#spawn();
  }

  indexStreams(): void {
    const database = new DatabaseSync(this.#file, { timeout: 5_000 });
    try {
      database.exec(STREAM_INDEXES);
    } finally {
      database.close();
    }
  }

  async close(): Promise<void> {
    this.#closing = true;
    const child = this.#child;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), 2_000);
    await ended;
    clearTimeout(timer);
  }

  async #spawn(): Promise<void> {
    const child = spawn(this.#binary, ['serve', '--host', '127.0.0.1', '--port', String(this.#port), '--db-path', this.#file], {
      stdio: ['ignore', 'pipe', 'pipe'],
      // Out of reach of the terminal's Ctrl-C: it is stopped after everything that uses it.
      detached: true,
    });
    this.#child = child;
    const stopWatching = child.pid === undefined ? () => {} : watch(child.pid);
    child.once('exit', (code, signal) => {
      stopWatching();
      if (!this.#closing) void this.#restart(`it ended with ${signal ?? code}`);
    });
    await untilListening(child);
  }

  async #restart(why: string): Promise<void> {
    this.#log(`the DynamoDB emulator stopped: ${why}. Starting it again on the same port and data.`);
    await sleep(200);
    if (this.#closing) return;
    await this.#spawn().catch((error: Error) => this.#log(`the DynamoDB emulator does not start: ${error.message}`));
  }
}

/** Stops `pid` when this process is gone: `read` ends when our end of the pipe does. */
function watch(pid: number): () => void {
  const watchdog = spawn('sh', ['-c', `read -r _ || kill -9 ${pid}`], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  watchdog.once('error', () => {});
  watchdog.stdin.once('error', () => {});
  watchdog.unref();
  // A line, not an end of file: the emulator is gone already and its number may be somebody else's.
  return () => watchdog.stdin.end('done\n');
}

async function untilListening(child: ChildProcess): Promise<void> {
  let said = '';
  const listening = new Promise<void>((resolve, reject) => {
    const hear = (chunk: Buffer) => {
      said = (said + chunk.toString('utf8')).slice(-4_000);
      if (said.includes('listening')) resolve();
    };
    child.stdout?.on('data', hear);
    child.stderr?.on('data', hear);
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`ended with ${code}: ${said.trim()}`)));
  });
  const timer = new AbortController();
  const late = sleep(START_MS, undefined, { signal: timer.signal }).then(
    () => Promise.reject(new Error(`did not start within ${START_MS / 1_000} s: ${said.trim()}`)),
    () => {},
  );
  try {
    await Promise.race([listening, late]);
  } catch (error) {
    child.kill('SIGKILL');
    throw new SyncError('LOCAL_STACK', `the DynamoDB emulator: ${(error as Error).message}`, { cause: error });
  } finally {
    timer.abort();
  }
}

function findBinary(): string {
  try {
    return join(dirname(createRequire(import.meta.url).resolve('@dynoxide/linux-x64/package.json')), 'dynoxide');
  } catch (error) {
    throw new SyncError(
      'LOCAL_STACK',
      'There is no DynamoDB emulator for this platform: the optional package @dynoxide/linux-x64 is not installed. ' +
        'Either run `npm ci` on Linux x64, or start any DynamoDB with streams (for example DynamoDB Local) and set ' +
        'AWS_ENDPOINT_URL_DYNAMODB to its address.',
      { cause: error },
    );
  }
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
