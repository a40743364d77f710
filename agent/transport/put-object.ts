import type { PutAddress } from '../../protocol/messages/push.ts';
import { SyncError } from '../../protocol/sync-error.ts';
import { agentLimits } from '../agent-limits.ts';
import type { PostDeps } from './post-json.ts';

/**
 * Puts an object to an address that head office gave. Whole or not at all; there is nothing to resume. The address is a secret:
 * it is never logged and never part of an error.
 */
export async function putObject(deps: PostDeps, { url, headers }: PutAddress, bytes: Uint8Array): Promise<void> {
  const timeout = AbortSignal.timeout(deps.timeoutMs ?? agentLimits.putTimeoutMs);
  deps.count.requests += 1;
  try {
    const body = new Uint8Array(bytes);
    const response = await fetch(url, {
      method: 'PUT',
      body,
      headers,
      redirect: 'manual',
      signal: AbortSignal.any([deps.signal, timeout]),
    });
    await response.body?.cancel();
    if (response.status === 200) return;
    if (response.status === 429 || response.status >= 500)
      throw new SyncError('UNAVAILABLE', `the object store is busy (HTTP ${response.status})`);
    throw new SyncError('CONNECTIVITY', `an object was not taken (HTTP ${response.status})`);
  } catch (cause) {
    deps.signal.throwIfAborted();
    if (cause instanceof SyncError) throw cause;
    throw new SyncError('CONNECTIVITY', timeout.aborted ? 'an upload took too long' : 'the object store cannot be reached', { cause });
  }
}
