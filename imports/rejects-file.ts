import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { SyncError } from '../protocol/sync-error.ts';

/**
 * Rejected rows as CSV: row number, collection, field, reason, and the row as it came. There only when there are any;
 * the file of an earlier import goes when the next one starts. Written at once, so memory stays bounded however many
 * rows are rejected.
 */
export interface Reject {
  readonly row: number;
  readonly collection: string;
  readonly issues: readonly { readonly field: string; readonly reason: string }[];
  readonly raw: unknown;
}

export class RejectsFile {
  readonly #path: string;
  #file: number | null = null;

  constructor(path: string) {
    this.#path = path;
    rmSync(path, { force: true });
  }

  add({ row, collection, issues, raw }: Reject): void {
    const text = typeof raw === 'string' ? raw : JSON.stringify(raw);
    const lines = issues.map(({ field, reason }) => [String(row), collection, field, reason, text].map(quote).join(','));
    try {
      if (this.#file === null) {
        this.#file = openSync(this.#path, 'w');
        writeSync(this.#file, 'row,collection,field,reason,raw\n');
      }
      writeSync(this.#file, `${lines.join('\n')}\n`);
    } catch (cause) {
      const full = (cause as NodeJS.ErrnoException).code === 'ENOSPC';
      throw new SyncError(full ? 'STORAGE_FULL' : 'LOCAL_STACK', `${this.#path} cannot be written: ${(cause as Error).message}`, { cause });
    }
  }

  /** The path, or null when nothing was rejected. */
  close(): string | null {
    if (this.#file === null) return null;
    closeSync(this.#file);
    this.#file = null;
    return this.#path;
  }
}

/** A spreadsheet that opens the file must not take a cell for a formula. */
function quote(raw: string): string {
  const cell = /^[=+\-@\t\r]/.test(raw) ? `'${raw}` : raw;
  return /[",\n\r]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
