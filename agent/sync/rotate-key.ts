import { existsSync } from 'node:fs';
import { isSyncError } from '../../protocol/sync-error.ts';
import { type AgentIo, createCloudApi } from '../agent-io.ts';
import { dataPaths } from '../data-folder.ts';
import { type KeyPair, enrolmentKeys, removeEnrolmentKeys, requireIdentity, writeIdentity } from '../identity.ts';

/**
 * This replica gets another key. The new one is on disk before head office hears of it, and takes the place of the old one when head office
 * has said that it knows it; until then the old one is good. So a crash at any point, and a lost answer, is gone on from.
 *
 * Trouble is nobody's error: the old key is good for another day, and the next sync begins with this.
 */
export async function rotateKey(io: AgentIo, data: string): Promise<void> {
  const paths = dataPaths(data);
  try {
    const keys = await enrolmentKeys(paths.nextKey);
    const identity = requireIdentity(paths.identity);
    if (identity.privateKey.x !== keys.privateKey.x) {
      await tell(io, data, keys);
      writeIdentity(paths.identity, { ...identity, privateKey: keys.privateKey });
    }
    removeEnrolmentKeys(paths.nextKey);
  } catch (error) {
    if (!isSyncError(error) || io.signal.aborted) throw error;
    io.stderr.write(`${error.code}: this replica has not got its next key yet; the next sync tries again.\n`);
  }
}

/** Something that was begun and not ended. */
export async function finishRotation(io: AgentIo, data: string): Promise<void> {
  if (existsSync(dataPaths(data).nextKey)) await rotateKey(io, data);
}

/** If the old key is not good any more, head office may know the new one since an answer that was lost. */
async function tell(io: AgentIo, data: string, { publicKey, privateKey }: KeyPair): Promise<void> {
  try {
    await (await createCloudApi(io, data, { patient: true })).rotateKey({ publicKey });
  } catch (error) {
    if (!isSyncError(error, 'UNAUTHORIZED')) throw error;
    await (await createCloudApi(io, data, { patient: true, privateKey })).rotateKey({ publicKey });
  }
}
