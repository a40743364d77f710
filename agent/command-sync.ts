import { isManualOffered } from '../core/runs/gate.ts';
import { COMPONENT_NAMES, type ComponentName } from '../protocol/catalogue/types.ts';
import { COMMAND_KINDS, type CommandKind, type ManualResult } from '../protocol/runs.ts';
import { SyncError, isSyncError } from '../protocol/sync-error.ts';
import { type AgentIo, printJson, progressStyle } from './agent-io.ts';
import { dataPaths } from './data-folder.ts';
import { type ExitCode, exitCodes } from './exit-code.ts';
import { lockFolder } from './folder-lock.ts';
import { requireIdentity } from './identity.ts';
import { Contacts } from './runs/contacts.ts';
import { manualSync } from './runs/manual-sync.ts';
import { type StoreRequest, askAgent } from './runs/requests.ts';
import { RunLog, readRunNotes } from './runs/run-log.ts';

/** A manual sync from the store's own side: offered when the last run did not get there, and to whoever says why. */
export interface ManualOptions {
  readonly data: string;
  readonly kind: string;
  readonly component?: readonly string[];
  readonly preview?: boolean;
  readonly takeOver?: boolean;
  readonly reason?: string;
  readonly json?: boolean;
  readonly progress?: string;
}

export async function manualCommand(io: AgentIo, options: ManualOptions): Promise<ExitCode> {
  const { data, preview = false, takeOver = false, reason, json } = options;
  const paths = dataPaths(data);
  requireIdentity(paths.identity);
  const kind = kindOf(options.kind);
  const components = (options.component ?? []).map(componentOf);
  const { run } = readRunNotes(paths.runs);
  if (!preview && reason === undefined && !isManualOffered({ last: run, isOverdue: false }))
    throw new SyncError('INVALID_INPUT', 'the last run did not fail; say why with --reason, or look with --preview');
  const result = await carryOut(io, options, { id: io.ids.next(), ask: 'manual', kind, components, preview, takeOver });
  if (json === true) printJson(io, { kind, preview, ...result });
  else io.stdout.write(`${describeManual(result, preview)}\n`);
  return exitCodes.fine;
}

type ManualRequest = Extract<StoreRequest, { ask: 'manual' }>;

async function carryOut(io: AgentIo, { data, progress }: ManualOptions, request: ManualRequest): Promise<ManualResult> {
  const paths = dataPaths(data);
  for (;;) {
    try {
      const lock = lockFolder(paths);
      try {
        const log: RunLog = new RunLog({ path: paths.runs, clock: io.clock, ids: io.ids, onChange: () => contacts.changed() });
        const contacts = new Contacts(io, data, { log: () => log });
        const work = { ...request, commandId: null };
        // What failed before it is not forgotten.
        if (!request.preview) await contacts.contact();
        try {
          return await manualSync(io, log, { data, style: progressStyle(io, progress), work, trigger: 'STORE' });
        } finally {
          await contacts.contact();
        }
      } finally {
        lock.release();
      }
    } catch (error) {
      if (!isSyncError(error, 'REPLICA_BUSY')) throw error;
    }
    io.stderr.write('An agent works on this folder; the manual sync waits for its turn.\n');
    const answer = await askAgent(io, paths, request);
    if (answer === null) continue;
    if (answer.result !== null) return answer.result;
    throw new SyncError(answer.failure?.code ?? 'INTERNAL', answer.failure?.message ?? 'it gave no reason');
  }
}

function kindOf(text: string): CommandKind {
  const kind = COMMAND_KINDS.find((known) => known === text);
  if (kind === undefined) throw new SyncError('INVALID_INPUT', `--kind is one of ${COMMAND_KINDS.join(', ')}, not ${text}`);
  return kind;
}

function componentOf(text: string): ComponentName {
  const name = COMPONENT_NAMES.find((known) => known.toLowerCase() === text.toLowerCase());
  if (name === undefined) throw new SyncError('INVALID_INPUT', `--component is one of ${COMPONENT_NAMES.join(', ')}, not ${text}`);
  return name;
}

export function describeManual({ components, unsent, bytes, seconds, costUsd }: ManualResult, isPreview: boolean): string {
  const lines = components.map(
    ({ component, add, change, remove, resent }) =>
      `${component.padEnd(22)} ${add} to add, ${change} to change, ${remove} to remove${resent === 0 ? '' : `, ${resent} sent again`}`,
  );
  if (lines.length === 0) lines.push('Nothing differs.');
  lines.push(`${unsent} operations are not at head office yet; they are never overwritten.`);
  lines.push(`${isPreview ? 'It would take' : 'It took'} ${bytes} bytes, ${Math.ceil(seconds)} s, ${costUsd.toFixed(6)} USD.`);
  return lines.join('\n');
}
