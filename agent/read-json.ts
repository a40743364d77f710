import { readFileSync } from 'node:fs';
import { SyncError } from '../protocol/sync-error.ts';

/** A record as the command line gives it: JSON, or `@file`. */
export function readJson(text: string): unknown {
  try {
    return JSON.parse(text.startsWith('@') ? readFileSync(text.slice(1), 'utf8') : text) as unknown;
  } catch (error) {
    throw new SyncError('INVALID_INPUT', `the record is not JSON: ${(error as Error).message}`, { cause: error });
  }
}
