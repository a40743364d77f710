/**
 * `node local/main.ts --dir <folder> [--port <number>] [--org <name|file.json>] [--hour <duration>] [--json]` runs the
 * local stack until SIGTERM or SIGINT; `--hour 5s` shortens the hour between two checks of a fresh sync, and the hours of a rollout. When it is up it prints one line of JSON on standard output (`protocol/local-stack.ts`) and
 * nothing else; what happens is told on standard error. Ends with 2 when an argument or the organization is wrong,
 * with 1 when the stack cannot run.
 */
import process from 'node:process';
import { parseArgs } from 'node:util';
import { SyncError, isSyncError } from '../protocol/sync-error.ts';
import { durationMs } from './duration.ts';
import { startLocalStack } from './stack.ts';

/** After this the process ends however far stopping has come; everything is safe to be cut off. */
const STOP_MS = 5_000;

interface Arguments {
  readonly dir: string;
  readonly organization: string;
  readonly port?: number;
  readonly hourMs?: number;
}

function readArguments(): Arguments {
  try {
    const { values } = parseArgs({
      options: {
        dir: { type: 'string' },
        port: { type: 'string' },
        org: { type: 'string' },
        hour: { type: 'string' },
        json: { type: 'boolean' },
      },
    });
    return {
      dir: values.dir ?? '.storeline',
      organization: values.org ?? 'demo',
      ...(values.port === undefined ? {} : { port: readPort(values.port) }),
      ...(values.hour === undefined ? {} : { hourMs: durationMs('--hour', values.hour) }),
    };
  } catch (error) {
    throw isSyncError(error) ? error : new SyncError('INVALID_INPUT', (error as Error).message, { cause: error });
  }
}

function readPort(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new SyncError('INVALID_INPUT', `--port ${text} is not a port: a number from 0 to 65535, 0 for a free one`);
}

function log(message: string): void {
  process.stderr.write(`${new Date().toISOString()} ${message}\n`);
}

async function main(): Promise<void> {
  const running = await startLocalStack({ ...readArguments(), log });
  let stopping = false;
  const stop = (signal: string) => {
    if (stopping) return;
    stopping = true;
    log(`${signal}: stopping`);
    setTimeout(() => process.exit(0), STOP_MS).unref();
    void running.close().then(
      () => process.exit(0),
      (error: Error) => {
        log(`stopping failed: ${error.message}`);
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  process.stdout.write(`${JSON.stringify(running.stack)}\n`);
}

// Whoever started it with a channel to it is gone, killed perhaps, and nobody else would stop it.
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
try {
  await main();
} catch (error) {
  if (!isSyncError(error)) throw error;
  process.stderr.write(`${error.code}: ${error.message}\n`);
  process.exit(error.code === 'INVALID_INPUT' ? 2 : 1);
}
