import { chmodSync, mkdirSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { keepToOwner } from './windows-access.ts';

/**
 * What stands where in the data folder. `replica.sqlite` and `spool/` are disposable; `identity.json` and `outbox.sqlite` are not:
 * without the first the store has to be enrolled again, without the second what it sold since the last sync is lost. `enrolment.json` holds the key of an enrolment that is not finished, `next-key.json` one that
 * head office may already take for the only one.
 */
export interface DataPaths {
  readonly folder: string;
  readonly identity: string;
  readonly enrolment: string;
  readonly replica: string;
  readonly shadow: string;
  readonly spool: string;
  readonly lock: string;
  readonly pid: string;
  /** What this store recorded and head office may not have yet: never disposable. */
  readonly outbox: string;
  /** The key of the new replica that a forked one becomes. */
  readonly fork: string;
  /** The key that this replica is about to have instead of the one in its identity. */
  readonly nextKey: string;
  /** Where the local API is, and its token, while the agent runs. */
  readonly localApi: string;
  /** Customers that were looked up. */
  readonly pinned: string;
  /** The run under way or the last one, and what became of commands. */
  readonly runs: string;
  /** How far this machine's clock is from head office's. */
  readonly clock: string;
  /** What another process of this store asks of the one that works on the folder. */
  readonly requests: string;
}

export function dataPaths(folder: string): DataPaths {
  const root = resolve(folder);
  const at = (name: string) => join(root, name);
  return {
    folder: root,
    identity: at('identity.json'),
    enrolment: at('enrolment.json'),
    replica: at('replica.sqlite'),
    shadow: at('replica.shadow.sqlite'),
    spool: at('spool'),
    lock: at('agent.lock'),
    pid: at('agent.pid'),
    outbox: at('outbox.sqlite'),
    fork: at('fork.json'),
    nextKey: at('next-key.json'),
    localApi: at('local-api.json'),
    pinned: at('pinned.sqlite'),
    runs: at('runs.json'),
    clock: at('clock.json'),
    requests: at('requests'),
  };
}

/** Only the agent's own user may read it: it holds a key and people's data. */
export function createDataFolder({ folder }: DataPaths): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
  if (process.platform === 'win32') keepToOwner(folder);
}

export async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}
