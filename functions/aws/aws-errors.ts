import { SyncError } from '../../protocol/sync-error.ts';

const BUSY = new Set([
  'ThrottlingException',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'RequestThrottled',
  'TransactionInProgressException',
  'InternalError',
  'InternalServerError',
  'ServiceUnavailable',
  'SlowDown',
  'TimeoutError',
]);
/** Reasons of a cancelled transaction that pass by themselves; `None` stands for the actions that had none. */
const BUSY_REASONS = new Set(['None', 'ThrottlingError', 'ProvisionedThroughputExceeded']);

/** Translates what the SDK throws, once, at the edge. What is not known to be passing stays what it is: a bug. */
export function translate(error: unknown, doing: string): unknown {
  const name = error instanceof Error ? error.name : '';
  if (BUSY.has(name) || isCancelledByThrottling(error))
    return new SyncError('UNAVAILABLE', `${doing}: ${name}`, { cause: error, retryAfterMs: 1_000 });
  return error;
}

export async function translated<T>(doing: string, call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw translate(error, doing);
  }
}

function isCancelledByThrottling(error: unknown): boolean {
  const reasons = cancellationReasons(error) ?? [];
  return reasons.some((reason) => reason !== 'None') && reasons.every((reason) => BUSY_REASONS.has(reason));
}

/** The condition of a single write did not hold; nothing was written. */
export function isConditionFailed(error: unknown): boolean {
  return error instanceof Error && error.name === 'ConditionalCheckFailedException';
}

/** Why each action of a cancelled transaction failed, or null when the error is another one. */
export function cancellationReasons(error: unknown): string[] | null {
  if (!(error instanceof Error) || error.name !== 'TransactionCanceledException') return null;
  const reasons = (error as { CancellationReasons?: { Code?: string }[] }).CancellationReasons ?? [];
  return reasons.map((reason) => reason.Code ?? 'None');
}

/**
 * What was sent is no item that DynamoDB takes, and never will be: too large, or of no type it has. Anything else that is
 * not known to pass (a lost connection, a credential that ran out) is no fault of what was sent.
 */
export function isRefusedForGood(error: unknown): boolean {
  const reasons = cancellationReasons(error);
  if (reasons !== null) return reasons.some((reason) => reason === 'ValidationError' || reason === 'ItemCollectionSizeLimitExceeded');
  return error instanceof Error && error.name === 'ValidationException';
}
