import { AsyncLocalStorage } from 'node:async_hooks';
import { SyncError, isSyncError } from '../../protocol/sync-error.ts';

/**
 * The id under which head office logs what is asked of it, for everything that is asked within `run`. Carried along the calls and
 * not through them: a sync has dozens, and none of them has any use for it.
 */
const current = new AsyncLocalStorage<string>();

export function correlated<T>(id: string, run: () => Promise<T>): Promise<T> {
  return current.run(id, run);
}

export function correlationId(): string | undefined {
  return current.getStore();
}

/** The same error, with the id for whoever looks for it at head office. */
export function withCorrelation(error: unknown, id: string): unknown {
  if (!isSyncError(error)) return error;
  const { code, message, cause, retryAfterMs, details } = error;
  return new SyncError(code, message, {
    cause,
    details: { ...details, correlationId: id },
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

/** One line for people, where head office was asked. */
export function correlationLine({ details }: SyncError): string {
  const id = details?.['correlationId'];
  return typeof id === 'string' ? `In head office's logs this is ${id}.\n` : '';
}
