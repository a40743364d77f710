import { type ErrorCodeName } from '../protocol/error-codes.ts';
import { isSyncError } from '../protocol/sync-error.ts';

/** What the process says to whoever started it. */
export const exitCodes = { fine: 0, failed: 1, wrongUse: 2, notComplete: 3, notAuthorized: 4 } as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

const BY_ERROR: Readonly<Partial<Record<ErrorCodeName, ExitCode>>> = {
  INVALID_INPUT: exitCodes.wrongUse,
  UNKNOWN_COLLECTION: exitCodes.wrongUse,
  COMPONENT_NOT_USED: exitCodes.wrongUse,
  COMPONENT_NOT_ENABLED: exitCodes.wrongUse,
  NOT_COMPLETE: exitCodes.notComplete,
  FRESH_NOT_COMPLETE: exitCodes.notComplete,
  UNAUTHORIZED: exitCodes.notAuthorized,
  CODE_INVALID: exitCodes.notAuthorized,
};

export function exitCodeOf(error: unknown): ExitCode {
  return isSyncError(error) ? (BY_ERROR[error.code] ?? exitCodes.failed) : exitCodes.failed;
}
