import { type ErrorCodeName, errorCodes } from '../protocol/error-codes.ts';
import { isSyncError } from '../protocol/sync-error.ts';

/**
 * Where things go: the answer to standard output, as one JSON value or as text for people; everything else to
 * standard error. Exit codes: 0 fine, 1 failed, 2 wrong use, 3 not complete yet, 4 not authorized.
 */
export interface Output {
  readonly json: boolean;
}

export function print(output: Output, value: unknown, text: () => string): void {
  process.stdout.write(output.json ? `${JSON.stringify(value)}\n` : `${text()}\n`);
}

/** A progress line stands on the terminal and is to be wiped before anything else is said. */
let unfinished = false;

export function say(line: string): void {
  wipe();
  process.stderr.write(`${line}\n`);
}

function wipe(): void {
  if (unfinished) process.stderr.write('\r\u001b[K');
  unfinished = false;
}

/** A line that is rewritten in place on a terminal, and printed every few seconds elsewhere. */
export function progressLine(): { update(line: string): void; done(): void } {
  const live = process.stderr.isTTY;
  let last = live ? 0 : Date.now();
  return {
    update(line) {
      const now = Date.now();
      if (now - last < (live ? 200 : 5_000)) return;
      last = now;
      unfinished = live;
      process.stderr.write(live ? `\r\u001b[K${line}` : `${line}\n`);
    },
    done: wipe,
  };
}

/** Columns padded to their widest cell; numbers are the caller's text. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => (row[column] ?? '').length)));
  return [head, ...rows]
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

const NOT_COMPLETE: ErrorCodeName[] = ['NOT_COMPLETE'];

export function exitCodeOf(error: unknown): number {
  if (!isSyncError(error)) return 1;
  if (NOT_COMPLETE.includes(error.code)) return 3;
  if (error.status === 401 || error.status === 403) return 4;
  return errorCodes[error.code].remedy === 'fix-input' ? 2 : 1;
}

export function describeError(error: unknown): string {
  // The message of a wrong input says it all.
  if (isSyncError(error, 'INVALID_INPUT')) return `${error.code}: ${error.message}`;
  if (isSyncError(error)) return `${error.code}: ${error.message}\n  ${errorCodes[error.code].what}`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
