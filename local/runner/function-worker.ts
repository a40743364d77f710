/**
 * Runs in a thread: one bundled handler, one invocation at a time, as one Lambda execution environment does. The
 * module is loaded once; its clients live as long as the thread.
 */
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';
import type { FunctionError, InvokeMessage, InvokeResult, WorkerMessage, WorkerStart } from './worker-messages.ts';

type Handler = (event: unknown, context: object) => unknown;

const start = workerData as WorkerStart;
const port = parentPort;
if (port === null) throw new Error('function-worker runs in a worker thread');

const say = (message: WorkerMessage) => port.postMessage(message);

try {
  const module = (await import(pathToFileURL(start.file).href)) as Record<string, unknown>;
  const handler = module[start.exportName];
  if (typeof handler !== 'function') throw new Error(`${start.file} has no function ${start.exportName}`);
  port.on('message', (message: InvokeMessage) => {
    void invoke(handler as Handler, message).then((result) => say({ result }));
  });
  say({ ready: true });
} catch (error) {
  say({ initError: describe(error) });
}

async function invoke(handler: Handler, { event, context }: InvokeMessage): Promise<InvokeResult> {
  try {
    const { deadlineMs, ...plain } = context;
    const answer = await handler(JSON.parse(event), {
      ...plain,
      functionVersion: '$LATEST',
      logStreamName: `local/${process.pid}`,
      callbackWaitsForEmptyEventLoop: false,
      getRemainingTimeInMillis: () => Math.max(0, deadlineMs - Date.now()),
    });
    return { ok: true, payload: JSON.stringify(answer ?? null) };
  } catch (error) {
    return { ok: false, error: describe(error) };
  }
}

function describe(error: unknown): FunctionError {
  if (!(error instanceof Error)) return { errorType: typeof error, errorMessage: String(error) };
  return { errorType: error.name, errorMessage: error.message, trace: (error.stack ?? '').split('\n') };
}
