import { type WriteStream, createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { finished } from 'node:stream/promises';

/** Rejected rows as CSV: row number, collection, field, reason, and the row as it came. There only when there are any. */
export class RejectsFile {
  readonly #path: string;
  #stream: WriteStream | null = null;

  constructor(path: string) {
    this.#path = path;
  }

  add(reject: { row: number; collection: string; issues: readonly { field: string; reason: string }[]; raw: unknown }): void {
    if (this.#stream === null) {
      this.#stream = createWriteStream(this.#path);
      this.#stream.write('row,collection,field,reason,raw\n');
    }
    for (const { field, reason } of reject.issues) {
      this.#stream.write(`${[String(reject.row), reject.collection, field, reason, JSON.stringify(reject.raw)].map(quote).join(',')}\n`);
    }
  }

  /** The path, or null (and no file of an earlier import either) when nothing was rejected. */
  async close(): Promise<string | null> {
    if (this.#stream === null) {
      await rm(this.#path, { force: true });
      return null;
    }
    this.#stream.end();
    await finished(this.#stream);
    return this.#path;
  }
}

function quote(cell: string): string {
  return /[",\n\r]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
