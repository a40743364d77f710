import { closeSync, fsyncSync, openSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { syncPath } from './replica/replica-file.ts';
import { withStorageErrors } from './replica/sqlite-errors.ts';

/** Writes a small file whole or not at all, readable by its owner only; on disk when it returns. */
export function writeDurably(path: string, text: string): void {
  withStorageErrors(() => {
    const part = `${path}.new`;
    const handle = openSync(part, 'w', 0o600);
    try {
      writeSync(handle, text);
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    renameSync(part, path);
    syncPath(dirname(path));
  });
}
