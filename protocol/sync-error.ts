import { type ErrorCodeName, type Remedy, errorCodes } from './error-codes.ts';

/** An operating error: expected, typed, shown to somebody. A bug is an assertion (`assert.ts`) and nobody catches it. */
export class SyncError extends Error {
  readonly code: ErrorCodeName;
  readonly retryAfterMs: number | undefined;
  readonly details: Readonly<Record<string, unknown>> | undefined;
  /** Of the HTTP answer. */
  readonly status: number;

  constructor(
    code: ErrorCodeName,
    message: string,
    options: { cause?: unknown; retryAfterMs?: number; details?: Record<string, unknown>; status?: number } = {},
  ) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.name = 'SyncError';
    this.code = code;
    this.retryAfterMs = options.retryAfterMs;
    this.details = options.details;
    this.status = options.status ?? errorCodes[code].status;
  }

  get remedy(): Remedy {
    return errorCodes[this.code].remedy;
  }
}

export function isSyncError(error: unknown, code?: ErrorCodeName): error is SyncError {
  return error instanceof SyncError && (code === undefined || error.code === code);
}
