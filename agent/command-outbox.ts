import { existsSync } from 'node:fs';
import { ENTRY_STATUSES, type EntryStatus } from '../core/outbox/entry.ts';
import { SyncError } from '../protocol/sync-error.ts';
import { type AgentIo, printJson } from './agent-io.ts';
import { dataPaths } from './data-folder.ts';
import { type ExitCode, exitCodes } from './exit-code.ts';
import { requireIdentity } from './identity.ts';
import { describeEntry } from './local-api/local-api.ts';
import { OutboxFile } from './outbox/outbox-file.ts';

/** What this store recorded, and what became of it. Works without a network and beside a running agent. */
export interface OutboxOptions {
  readonly data: string;
  readonly status?: string;
  readonly limit: string;
  readonly after?: string;
  readonly json?: boolean;
}

export function outboxCommand(io: AgentIo, options: OutboxOptions): ExitCode {
  const paths = dataPaths(options.data);
  const { replicaId } = requireIdentity(paths.identity);
  const limit = numberOf('--limit', options.limit);
  const after = options.after === undefined ? 0 : numberOf('--after', options.after);
  const status = statusOf(options.status);
  const outbox = existsSync(paths.outbox) ? OutboxFile.open(paths.outbox, replicaId) : null;
  try {
    const counts = outbox?.counts() ?? {};
    const entries = outbox?.list({ limit, after, ...(status === undefined ? {} : { status }) }) ?? [];
    if (options.json === true) {
      printJson(io, {
        replicaId,
        counts,
        entries: entries.map(describeEntry),
        next: entries.length === limit ? (entries.at(-1)?.id ?? null) : null,
      });
    } else io.stdout.write(describe(counts, entries));
    return exitCodes.fine;
  } finally {
    outbox?.close();
  }
}

function describe(counts: Partial<Record<EntryStatus, number>>, entries: ReturnType<OutboxFile['list']>): string {
  const sums = Object.entries(counts).filter(([, count]) => count > 0);
  const lines = entries.map(
    ({ operation: { seq, collection, key }, status, receipt }) =>
      `${String(seq).padStart(6)} ${status.padEnd(24)} ${collection}/${key}${receipt?.reason === undefined ? '' : `: ${receipt.reason}`}`,
  );
  const title = sums.length === 0 ? 'Nothing was recorded here.' : sums.map(([status, count]) => `${count} ${status}`).join(', ');
  return `${[title, ...lines].join('\n')}\n`;
}

function statusOf(text: string | undefined): EntryStatus | undefined {
  if (text === undefined) return undefined;
  const status = ENTRY_STATUSES.find((one) => one === text.toUpperCase());
  if (status === undefined) throw new SyncError('INVALID_INPUT', `--status is one of ${ENTRY_STATUSES.join(', ')}`);
  return status;
}

function numberOf(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new SyncError('INVALID_INPUT', `${name} is a whole number, not ${text}`);
  return value;
}
