import { CORRELATION_HEADER } from '../../protocol/correlation.ts';
import { SyncError } from '../../protocol/sync-error.ts';
import { agentLimits } from '../agent-limits.ts';
import type { TransferCount } from './transfer-count.ts';

/**
 * One JSON request and its answer, within time and size limits. Anything that is not JSON is `CONNECTIVITY`: whatever
 * answered, it was not head office. Asks for zstd by name, because fetch decodes it but does not ask for it.
 */
export interface PostDeps {
  readonly count: TransferCount;
  readonly signal: AbortSignal;
  readonly timeoutMs?: number;
}

export interface JsonRequest {
  readonly url: URL;
  readonly body: string;
  readonly authorization?: string;
  readonly correlationId: string;
}

export async function postJson(
  deps: PostDeps,
  { url, body, authorization, correlationId }: JsonRequest,
): Promise<{ status: number; body: unknown }> {
  const timeoutMs = deps.timeoutMs ?? agentLimits.requestTimeoutMs;
  const timeout = AbortSignal.timeout(timeoutMs);
  deps.count.requests += 1;
  try {
    const response = await fetch(url, {
      method: 'POST',
      body,
      redirect: 'manual',
      signal: AbortSignal.any([deps.signal, timeout]),
      headers: {
        'content-type': 'application/json',
        accept: 'application/json',
        'accept-encoding': 'zstd, gzip',
        [CORRELATION_HEADER]: correlationId,
        ...(authorization === undefined ? {} : { authorization }),
      },
    });
    const text = await readText(response);
    const encoded = Number(response.headers.get('content-length') ?? Number.NaN);
    deps.count.bytes += Number.isNaN(encoded) ? Buffer.byteLength(text) : encoded;
    return { status: response.status, body: parseJson(response, text) };
  } catch (cause) {
    deps.signal.throwIfAborted();
    if (cause instanceof SyncError) throw cause;
    if (timeout.aborted) throw new SyncError('CONNECTIVITY', `no answer from head office within ${timeoutMs / 1_000} s`, { cause });
    const why = isOfClock(cause) ? ": its certificate is not valid at the time that this machine has; set the machine's clock" : '';
    throw new SyncError('CONNECTIVITY', `head office cannot be reached${why}`, { cause });
  }
}

/** Such a clock is not measured: head office is not talked to before its certificate is looked at. */
function isOfClock(error: unknown): boolean {
  const { code } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException;
  return code === 'CERT_NOT_YET_VALID' || code === 'CERT_HAS_EXPIRED';
}

async function readText(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of response.body ?? []) {
    size += part.length;
    if (size > agentLimits.answerBytesMax) throw new SyncError('CONNECTIVITY', 'the answer is larger than any of head office');
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

function parseJson(response: Response, text: string): unknown {
  if (!/^application\/json\b/.test(response.headers.get('content-type') ?? '')) {
    if (response.status >= 500 || response.status === 429) return null;
    throw new SyncError('CONNECTIVITY', `something other than head office answered (HTTP ${response.status}, no JSON); check the network`);
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new SyncError('CONNECTIVITY', 'the answer was cut off or is not JSON', { cause });
  }
}
