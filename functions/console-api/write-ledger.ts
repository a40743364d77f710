import type { MainRecord } from '../../core/ports/record-store.ts';
import { isInOpening } from '../../core/ledger/balance.ts';
import { accountOf, planEntries } from '../../core/ledger/plan-entries.ts';
import { must } from '../../protocol/assert.ts';
import { type Fields, equalFields } from '../../protocol/catalogue/record.ts';
import type { WriteOutcome } from '../../protocol/messages/console.ts';
import { SyncError } from '../../protocol/sync-error.ts';
import type { Edit, WriteDeps } from './edit.ts';

/**
 * Entries of the ledger that head office brings. Those of one customer in one program are one transaction with the
 * balance and the tier they give (INV-16). Entries that were in the balance when it was opened move nothing: they are
 * left to the caller, which writes them like any record.
 */
/** A transaction has 100 parts; balance and tier are two of them. */
const ENTRIES_MAX = 90;
const TIERS_MAX = 20;
const ACCOUNTS_AT_ONCE = 8;
/** Tills that redeem at the same time move the same balance. */
const CONFLICT_TRIES = 20;

interface Account {
  readonly id: string;
  readonly edits: (Edit & { readonly fields: Fields })[];
}

/** Returns those that are written like any record. */
export async function writeLedger(deps: WriteDeps, edits: readonly Edit[], outcomes: WriteOutcome[]): Promise<Edit[]> {
  const asRecords: Edit[] = [];
  const byAccount = new Map<string, Account['edits']>();
  for (const edit of edits) {
    const { fields } = edit;
    const account = fields === null ? null : accountOf(fields);
    if (fields === null) asRecords.push(edit);
    else if (account === null)
      outcomes[edit.index] = { outcome: 'rejected', issues: [{ field: 'program_id', reason: 'is required: points belong to a program' }] };
    else byAccount.set(account, [...(byAccount.get(account) ?? []), { ...edit, fields }]);
  }
  const summaries = await deps.records.getMany('loyalty_summary', [...byAccount.keys()]);
  const accounts: Account[] = [];
  for (const [id, mine] of byAccount) {
    const standing = liveFields(summaries.get(id));
    asRecords.push(...mine.filter(({ fields }) => isInOpening(standing, fields)));
    const counted = mine.filter(({ fields }) => !isInOpening(standing, fields));
    for (let start = 0; start < counted.length; start += ENTRIES_MAX)
      accounts.push({ id, edits: counted.slice(start, start + ENTRIES_MAX) });
  }
  const tiers = new Map<string, Promise<Fields[]>>();
  for (const wave of wavesOfAccounts(accounts)) await Promise.all(wave.map((account) => writeAccount(deps, account, { tiers, outcomes })));
  return asRecords;
}

async function writeAccount(
  deps: WriteDeps,
  { id, edits }: Account,
  { tiers, outcomes }: { tiers: Map<string, Promise<Fields[]>>; outcomes: WriteOutcome[] },
): Promise<void> {
  const program = id.slice(id.indexOf('/') + 1);
  if (!tiers.has(program)) tiers.set(program, readTiers(deps, program));
  const definitions = await must(tiers.get(program), 'it was asked for');
  let left = edits;
  for (let tries = 0; tries < CONFLICT_TRIES; tries += 1) {
    const records = await load(deps, id, left);
    const fresh = left.filter((edit) => settle(edit, records.get('points_ledger', edit.key), outcomes));
    if (fresh.length === 0) return;
    const first = fresh.filter(({ key }, index) => fresh.findIndex((other) => other.key === key) === index);
    const planned = planEntries({ account: id, entries: first, records, tiers: definitions, scopes: deps.scopes, now: deps.clock.now() });
    if (!planned.ok) {
      for (const edit of fresh) outcomes[edit.index] = { outcome: 'rejected', issues: [planned.issue] };
      return;
    }
    if ((await deps.records.writeTogether(planned.writes)) === 'conflict') continue;
    for (const [at, { index, key }] of first.entries())
      outcomes[index] = { outcome: 'written', key, rev: must(planned.revs[at], 'each entry was planned') };
    // The same key twice in a call: the next round sees what the first one wrote.
    left = fresh.filter((edit) => !first.includes(edit));
    if (left.length === 0) return;
  }
  throw new SyncError('CONFLICT', 'others keep moving the same points', { retryAfterMs: 500 });
}

/** true: it is to be written. What is there already is said at once. */
function settle(edit: Edit & { readonly fields: Fields }, standing: MainRecord | null, outcomes: WriteOutcome[]): boolean {
  if (standing === null) return true;
  const isSame = !standing.deleted && equalFields(standing.fields, edit.fields);
  outcomes[edit.index] = isSame
    ? { outcome: 'unchanged', key: edit.key, rev: standing.rev }
    : { outcome: 'rejected', issues: [{ field: 'record', reason: 'another entry has this key: an entry never changes, write a new one' }] };
  return false;
}

async function load({ records }: WriteDeps, account: string, edits: Account['edits']) {
  const [ledger, summaries, tiers] = await Promise.all([
    records.getMany(
      'points_ledger',
      edits.map(({ key }) => key),
    ),
    records.getMany('loyalty_summary', [account]),
    records.getMany('slab_state', [account]),
  ]);
  const loaded: Record<string, ReadonlyMap<string, MainRecord>> = {
    points_ledger: ledger,
    loyalty_summary: summaries,
    slab_state: tiers,
  };
  return { get: (collection: string, key: string) => loaded[collection]?.get(key) ?? null };
}

async function readTiers({ records }: WriteDeps, program: string): Promise<Fields[]> {
  const keys = Array.from({ length: TIERS_MAX }, (_, index) => `${program}/${index + 1}`);
  const found = await records.getMany('slab_definition', keys);
  return [...found.values()].filter(({ deleted }) => !deleted).map(({ fields }) => fields);
}

/** Parts of one account come one after the other, other accounts side by side. */
function wavesOfAccounts(accounts: readonly Account[]): Account[][] {
  const waves: Account[][] = [];
  for (const account of accounts) {
    const open = waves.at(-1);
    const fits = open !== undefined && open.length < ACCOUNTS_AT_ONCE && open.every(({ id }) => id !== account.id);
    if (fits) open.push(account);
    else waves.push([account]);
  }
  return waves;
}

function liveFields(record: MainRecord | undefined): Fields | null {
  return record === undefined || record.deleted ? null : record.fields;
}
