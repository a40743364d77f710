import { SyncError } from '../protocol/sync-error.ts';
import { PROTOCOL_VERSION } from '../protocol/version.ts';
import { AGENT_VERSION, type AgentIo, printJson } from './agent-io.ts';
import { createDataFolder, dataPaths } from './data-folder.ts';
import { type ExitCode, exitCodes } from './exit-code.ts';
import { lockFolder } from './folder-lock.ts';
import { enrolmentKeys, readIdentity, removeEnrolmentKeys, writeIdentity } from './identity.ts';
import { enrol } from './transport/cloud-api.ts';
import { createTransferCount } from './transport/transfer-count.ts';

/**
 * Makes this data folder a replica of a store, with a key of its own. A folder is enrolled once. When the answer is lost
 * or the agent is killed on the way, the same command with the same code finishes it.
 */
export interface EnrolOptions {
  readonly api: string;
  readonly code: string;
  readonly data: string;
  readonly json?: boolean;
}

export async function enrolCommand(io: AgentIo, { api, code, data, json }: EnrolOptions): Promise<ExitCode> {
  const paths = dataPaths(data);
  createDataFolder(paths);
  const lock = lockFolder(paths);
  try {
    const present = readIdentity(paths.identity);
    if (present !== null) {
      removeEnrolmentKeys(paths.enrolment);
      throw new SyncError(
        'ALREADY_EXISTS',
        `this data folder belongs to store ${present.storeId} already; use another folder for another store`,
      );
    }
    const keys = await enrolmentKeys(paths.enrolment);
    const answer = await enrol(
      { api, ids: io.ids, count: createTransferCount(), signal: io.signal },
      { protocol: PROTOCOL_VERSION, code, publicKey: keys.publicKey, agentVersion: AGENT_VERSION },
    );
    const { storeId, replicaId, organization } = answer;
    writeIdentity(paths.identity, { storeId, replicaId, organization, api, privateKey: keys.privateKey });
    removeEnrolmentKeys(paths.enrolment);
    if (json === true) printJson(io, { storeId, replicaId, organization });
    else io.stdout.write(`Enrolled as store ${storeId} of ${organization}. Next: agent logon --data ${data} --wait\n`);
    return exitCodes.fine;
  } finally {
    lock.release();
  }
}
