import { SyncError } from '../protocol/sync-error.ts';
import { PROTOCOL_VERSION } from '../protocol/version.ts';
import { AGENT_VERSION, type AgentIo, printJson } from './agent-io.ts';
import { type DataPaths, createDataFolder, dataPaths } from './data-folder.ts';
import { type ExitCode, exitCodes } from './exit-code.ts';
import { lockFolder } from './folder-lock.ts';
import { type Identity, enrolmentKeys, readIdentity, removeEnrolmentKeys, writeIdentity } from './identity.ts';
import { unclosed } from './outbox/unclosed.ts';
import { enrol } from './transport/cloud-api.ts';
import { createTransferCount } from './transport/transfer-count.ts';

/**
 * Makes this data folder a replica of a store, with a key of its own. A folder is of one store for ever, and keeps what that store recorded
 * when it is enrolled again. When the answer is lost or the agent is killed on the way, the same command with the same code finishes it.
 */
export interface EnrolOptions {
  readonly api: string;
  readonly code: string;
  readonly data: string;
  readonly again?: boolean;
  readonly json?: boolean;
}

export async function enrolCommand(io: AgentIo, { api, code, data, again = false, json }: EnrolOptions): Promise<ExitCode> {
  if (code === '')
    throw new SyncError('INVALID_INPUT', '--code: no code was given; head office shows it with `storeline store code <store>`');
  const paths = dataPaths(data);
  createDataFolder(paths);
  const lock = lockFolder(paths);
  try {
    const present = readIdentity(paths.identity);
    if (present !== null && !again) {
      removeEnrolmentKeys(paths.enrolment);
      throw new SyncError(
        'ALREADY_EXISTS',
        `this data folder belongs to store ${present.storeId} already; use another folder for another store, and --again if head office no longer knows this one`,
      );
    }
    const keys = await enrolmentKeys(paths.enrolment);
    const answer = await enrol(
      { api, ids: io.ids, count: createTransferCount(), signal: io.signal },
      { protocol: PROTOCOL_VERSION, code, publicKey: keys.publicKey, agentVersion: AGENT_VERSION },
    );
    const { storeId, replicaId, organization } = answer;
    refuseOther(paths, present, storeId);
    writeIdentity(paths.identity, { storeId, replicaId, organization, api, privateKey: keys.privateKey });
    removeEnrolmentKeys(paths.enrolment);
    // Meant for the replica that this was before.
    removeEnrolmentKeys(paths.nextKey);
    if (json === true) printJson(io, { storeId, replicaId, organization });
    else io.stdout.write(`Enrolled as store ${storeId} of ${organization}. Next: agent logon --data ${data} --wait\n`);
    return exitCodes.fine;
  } finally {
    lock.release();
  }
}

/** What one store has here never becomes another's. The new replica stays unused, and the code is gone. */
function refuseOther({ outbox, enrolment }: DataPaths, present: Identity | null, storeId: string): void {
  const kept = unclosed(outbox);
  const before = present?.storeId ?? (kept?.count === 0 ? undefined : kept?.replicaId?.split(':', 1)[0]);
  if (before === undefined || before === storeId) return;
  removeEnrolmentKeys(enrolment);
  throw new SyncError(
    'ALREADY_EXISTS',
    `the code was one of store ${storeId}, and this data folder is of ${before}, with ${kept?.count ?? 0} records that head office has not closed; enrol it with a code of ${before}, and another folder for ${storeId}`,
  );
}
