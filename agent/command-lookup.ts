import { SyncError, isSyncError } from '../protocol/sync-error.ts';
import { IDENTIFIER_TYPES, type LookupRequest, type LookupResponse } from '../protocol/messages/lookup.ts';
import { type AgentIo, createCloudApi, printJson } from './agent-io.ts';
import { dataPaths } from './data-folder.ts';
import { type ExitCode, exitCodes } from './exit-code.ts';
import { requireIdentity } from './identity.ts';
import { PinnedFile } from './pinned/pinned-file.ts';

/**
 * A customer who is not in the store's working set: asked of head office, kept for a day, shown with its age when head
 * office cannot be reached.
 */
export interface LookupOptions {
  readonly data: string;
  readonly type?: string;
  readonly source?: string;
  readonly account?: string;
  readonly json?: boolean;
}

export async function lookupCommand(io: AgentIo, asked: string, options: LookupOptions): Promise<ExitCode> {
  const paths = dataPaths(options.data);
  requireIdentity(paths.identity);
  const by = questionOf(asked, options);
  const name = by.kind === 'user_id' ? by.userId : `${by.type} ${by.source} ${by.accountId} ${by.value}`;
  const pinned = PinnedFile.open(paths.pinned, io.clock.now());
  try {
    const { answer, source, ageMs } = await ask(io, { pinned, name, by, data: options.data });
    if (options.json === true) printJson(io, { source, ageMs, ...answer });
    else io.stdout.write(`${describe(answer, source === 'pinned' ? ageMs : null)}\n`);
    return exitCodes.fine;
  } finally {
    pinned.close();
  }
}

/** Head office cannot be asked now. */
const SHOWS_PINNED: ReadonlySet<string> = new Set(['CONNECTIVITY', 'UNAVAILABLE', 'LOOKUP_LIMIT']);

interface Question {
  readonly pinned: PinnedFile;
  readonly name: string;
  readonly by: LookupRequest['by'];
  readonly data: string;
}

async function ask(io: AgentIo, { pinned, name, by, data }: Question): Promise<{ answer: LookupResponse; source: string; ageMs: number }> {
  try {
    const answer = await (await createCloudApi(io, data, { patient: false })).lookup({ by });
    pinned.pin(name, answer, io.clock.now());
    return { answer, source: 'head-office', ageMs: 0 };
  } catch (error) {
    if (isSyncError(error, 'NOT_FOUND')) pinned.forget(name);
    if (!isSyncError(error) || !SHOWS_PINNED.has(error.code)) throw error;
    const found = pinned.find(name);
    if (found === null)
      throw new SyncError(error.code, `${error.message}; and nobody looked this customer up here in the last day`, { cause: error });
    return { answer: found.customer, source: 'pinned', ageMs: io.clock.now() - found.pinnedAt };
  }
}

function questionOf(asked: string, { type, source, account }: LookupOptions): LookupRequest['by'] {
  if (type === undefined) return { kind: 'user_id', userId: asked };
  const kind = IDENTIFIER_TYPES.find((one) => one === type.toUpperCase().replace('-', '_'));
  if (kind === undefined) throw new SyncError('INVALID_INPUT', `--type is one of ${IDENTIFIER_TYPES.join(', ')}`);
  return { kind: 'identifier', type: kind, value: asked, source: source ?? 'INSTORE', accountId: account ?? '-' };
}

function describe({ customer, loyalty, bills, billsMore }: LookupResponse, ageMs: number | null): string {
  const lines = Object.entries(customer).map(([name, value]) => `${name.padEnd(24)} ${String(value)}`);
  for (const one of loyalty) lines.push(`points (${String(one['program_id'])})`.padEnd(25) + String(one['points'] ?? 0));
  for (const bill of bills)
    lines.push(
      `bill ${String(bill['number'])}`.padEnd(25) +
        `${String(bill['billing_time'])} ${String(bill['amount'])} ${String(bill['currency_code'])}`,
    );
  if (billsMore) lines.push('there are older bills');
  if (ageMs !== null) lines.push(`as it was ${Math.round(ageMs / 60_000)} minutes ago: head office cannot be reached`);
  return lines.join('\n');
}
