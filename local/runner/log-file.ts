/** A function's log: appended to `<dir>/logs/<function>.log`, moved aside to `.1` when large. Never stops a function. */
import { appendFileSync, renameSync, statSync } from 'node:fs';

const SIZE_MAX_BYTES = 10 << 20;

export class LogFile {
  readonly #path: string;
  #size: number;

  constructor(path: string) {
    this.#path = path;
    this.#size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  }

  write(text: string | Uint8Array): void {
    try {
      if (this.#size > SIZE_MAX_BYTES) {
        renameSync(this.#path, `${this.#path}.1`);
        this.#size = 0;
      }
      appendFileSync(this.#path, text);
      this.#size += text.length;
    } catch {
      // A full disk costs log lines and nothing else; what matters is written elsewhere and fails there.
    }
  }
}
