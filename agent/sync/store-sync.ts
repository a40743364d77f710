import { existsSync } from 'node:fs';
import { isSyncError } from '../../protocol/sync-error.ts';
import { type AgentIo, createCloudApi, createSyncDeps } from '../agent-io.ts';
import { agentLimits } from '../agent-limits.ts';
import { dataPaths } from '../data-folder.ts';
import { enrolmentKeys, removeEnrolmentKeys, requireIdentity, writeIdentity } from '../identity.ts';
import { OutboxFile } from '../outbox/outbox-file.ts';
import { type Pushed, pushOutbox } from '../outbox/push-outbox.ts';
import type { ProgressStyle } from '../progress/progress-lines.ts';
import { dropCertificates } from './drop-certificates.ts';
import type { RunLog } from '../runs/run-log.ts';
import { adopt, upStanding } from '../runs/store-facts.ts';
import type { ComponentName } from '../../protocol/catalogue/types.ts';
import type { UploadProgress } from '../../protocol/operation.ts';
import { correlated } from '../transport/correlation.ts';
import { finishRotation, rotateKey } from './rotate-key.ts';
import { type SyncOptions, type SyncOutcome, runSync } from './run-sync.ts';
import type { SyncDeps } from './sync-deps.ts';

/**
 * One sync of a store, both ways: what it recorded goes up, what head office has comes down, and what became of the
 * uploads is asked for. Trouble on the way up does not keep the store from getting what is new; it is part of the outcome.
 */
export interface UploadOutcome extends Pushed {
  /** Recorded and not stored at head office yet. */
  readonly unsent: number;
  /** Stored there or not, nobody knows what became of them yet. */
  readonly withoutReceipt: number;
  readonly failure: { readonly code: string; readonly message: string } | null;
}

export interface StoreSyncOutcome extends SyncOutcome {
  readonly up: UploadOutcome;
  readonly transfer: SyncDeps['count'];
  /** How many operations waited when it began, by component. */
  readonly sentBefore: ReadonlyMap<ComponentName, number>;
}

interface StoreSyncInput {
  readonly data: string;
  readonly style: ProgressStyle;
  readonly options: SyncOptions;
  /** The run that it is. */
  readonly log?: RunLog;
}

const NOTHING: UploadOutcome = { sent: 0, receipts: 0, unsent: 0, withoutReceipt: 0, failure: null };
const RECEIPTS_FIRST_MS = 100;
const RECEIPTS_POLL_MAX_MS = 3_000;

/** In the logs of head office it is what its run is. */
export function syncStore(io: AgentIo, input: StoreSyncInput): Promise<StoreSyncOutcome> {
  return correlated(input.log?.run?.runId ?? io.ids.next(), () => bothWays(io, input));
}

async function bothWays(io: AgentIo, { data, style, options, log }: StoreSyncInput): Promise<StoreSyncOutcome> {
  const paths = dataPaths(data);
  await finishRotation(io, data);
  const sentBefore = new Map([...upStanding(data)].map(([component, { waiting }]) => [component, waiting]));
  for (const [component, waiting] of sentBefore)
    if (waiting > 0) log?.event(component, 'UP', { type: 'PROGRESS', phase: 'UPLOAD', done: 0, total: waiting });
  const before = existsSync(paths.outbox) ? await upload(io, data) : NOTHING;
  if (log !== undefined) adopt(log, data);
  let heard: UploadProgress | undefined;
  let isNewKeyDue = false;
  const plain = await createSyncDeps(io, data, style);
  const deps: SyncDeps = {
    ...plain,
    ...(log === undefined ? {} : { progress: log.watching(plain.progress) }),
    withUploads: existsSync(paths.outbox),
    onPlan: (plan) => {
      heard = plan.uploads;
      isNewKeyDue = plan.newKey === true;
      log?.plan({ components: plan.components });
    },
  };
  try {
    const down = await runSync(deps, options);
    const sent = heard === undefined ? before : add(before, await catchUp(io, data, heard));
    const up = sent.withoutReceipt === 0 || sent.failure !== null ? sent : await collect(io, data, { before: sent, wait: options.wait });
    if (isNewKeyDue) await rotateKey(io, data);
    return { ...down, up, transfer: deps.count, sentBefore };
  } finally {
    deps.progress.end();
  }
}

function add(before: UploadOutcome, more: UploadOutcome | null): UploadOutcome {
  return more === null ? before : { ...more, sent: before.sent + more.sent, receipts: before.receipts + more.receipts };
}

/**
 * Head office has less than it said once: it was restored, and what it lost goes up again, whatever receipts there were. Or it
 * has something to say of what was recorded here long ago. null: neither.
 */
async function catchUp(io: AgentIo, data: string, heard: UploadProgress): Promise<UploadOutcome | null> {
  const paths = dataPaths(data);
  const outbox = OutboxFile.open(paths.outbox, requireIdentity(paths.identity).replicaId);
  let isTooOld = false;
  try {
    if (!outbox.isAheadOf(heard) && !outbox.isBehind(heard)) return null;
    if (outbox.isAheadOf(heard)) {
      io.stderr.write('Head office was restored from a backup: what it does not have any more is sent again.\n');
      outbox.rewind(heard);
    }
  } catch (error) {
    // Where it goes on from is not here any more either.
    if (!isSyncError(error, 'REPLICA_FORKED')) throw error;
    isTooOld = true;
  } finally {
    outbox.close();
  }
  if (isTooOld) await becomeAnother(io, data);
  return upload(io, data, { isExpected: true });
}

/** What is recorded goes up; a replica with two pasts becomes another one first. */
export async function upload(
  io: AgentIo,
  data: string,
  { isExpected = false }: { readonly isExpected?: boolean } = {},
): Promise<UploadOutcome> {
  const paths = dataPaths(data);
  for (let forked = false; ; forked = true) {
    const outbox = OutboxFile.open(paths.outbox, requireIdentity(paths.identity).replicaId);
    try {
      outbox.purge(io.clock.now() - agentLimits.outboxRetentionMs);
      const cloud = await createCloudApi(io, data, { patient: true });
      const pushed = await pushOutbox({ cloud, outbox, signal: io.signal, isExpected });
      return { ...pushed, ...outbox.countOpen(), failure: null };
    } catch (error) {
      if (!isSyncError(error) || io.signal.aborted) throw error;
      const { code, message } = error;
      // Not this store's any more: nothing else works either.
      if (code === 'UNAUTHORIZED') throw error;
      if (code !== 'REPLICA_FORKED' || forked) return { sent: 0, receipts: 0, ...outbox.countOpen(), failure: { code, message } };
    } finally {
      outbox.close();
    }
    await becomeAnother(io, data);
  }
}

/** Receipts come a moment after what they are of was stored. */
export async function collect(
  io: AgentIo,
  data: string,
  { before, wait }: { before: UploadOutcome; wait: boolean },
): Promise<UploadOutcome> {
  const until = io.clock.now() + agentLimits.receiptsWaitMs;
  let up = before;
  for (let ms = RECEIPTS_FIRST_MS; ; ms = Math.min(ms * 2, RECEIPTS_POLL_MAX_MS)) {
    await io.sleep(ms);
    const more = await upload(io, data);
    up = add(up, more);
    if (!wait || up.withoutReceipt === 0 || up.failure !== null || io.clock.now() > until) return up;
  }
}

/**
 * This folder was restored or copied, and head office knows another past of its replica. It goes on as a new replica of the
 * same store, with a key that is on disk before head office hears of it, and proves itself anew. The outbox follows when it
 * is opened next, so a crash at any point is gone on from.
 */
async function becomeAnother(io: AgentIo, data: string): Promise<void> {
  const paths = dataPaths(data);
  const keys = await enrolmentKeys(paths.fork);
  const { replicaId } = await (await createCloudApi(io, data, { patient: true })).fork({ publicKey: keys.publicKey });
  dropCertificates(io, paths);
  writeIdentity(paths.identity, { ...requireIdentity(paths.identity), replicaId, privateKey: keys.privateKey });
  removeEnrolmentKeys(paths.fork);
  io.stderr.write('REPLICA_FORKED: this data folder was restored or copied; it goes on as a new replica and keeps its unsent writes.\n');
}
