import { execFileSync } from 'node:child_process';
import { SyncError } from '../protocol/sync-error.ts';

/** By ids and not by names, which are another in every language. */
const SYSTEM = 'S-1-5-18';
const ADMINISTRATORS = 'S-1-5-32-544';

/** `account`: a line of `whoami /user /fo csv /nh`, `"till-3\\agent","S-1-5-21-…"`. */
export function ownerOnlyArguments(folder: string, account: string): string[] {
  const id = /"(S-1-[\d-]+)"\s*$/.exec(account)?.[1];
  if (id === undefined) throw new SyncError('FOLDER_NOT_PRIVATE', `whoami did not say the id of this user but ${account}`);
  const all = [...new Set([id, SYSTEM, ADMINISTRATORS])].map((who) => `*${who}:(OI)(CI)F`);
  return [folder, '/inheritance:r', '/grant:r', ...all];
}

/**
 * What `chmod 0700` says elsewhere: a folder on Windows has the access list of the folder above it, which every user of a
 * till may read. `run` throws when the program fails or is not there.
 */
export function keepToOwner(folder: string, run: typeof execFileSync = execFileSync): void {
  try {
    const account = run('whoami', ['/user', '/fo', 'csv', '/nh'], { encoding: 'utf8', windowsHide: true });
    run('icacls', ownerOnlyArguments(folder, account), { windowsHide: true, stdio: 'ignore' });
  } catch (error) {
    throw new SyncError('FOLDER_NOT_PRIVATE', `${folder} could not be kept from other users of this machine: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
