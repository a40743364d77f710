import type { Clock } from '../../core/ports/clock.ts';
import type { LookupAllowance } from '../../core/ports/lookup-allowance.ts';
import type { MainRecord, RecordStore } from '../../core/ports/record-store.ts';
import type { Store } from '../../core/ports/store-registry.ts';
import { type RouteSettings, withoutWithheld } from '../../core/feed/route-change.ts';
import { collectionOf, componentStatus, components } from '../../protocol/catalogue/catalogue.ts';
import { type Fields, keyIssue, keyOf } from '../../protocol/catalogue/record.ts';
import { limits } from '../../protocol/limits.ts';
import type { LookupRequest, LookupResponse } from '../../protocol/messages/lookup.ts';
import { SyncError } from '../../protocol/sync-error.ts';

/**
 * One customer for one till. What is withheld from stores is left out here too (INV-08), and how many a store may ask
 * for in an hour, with all its machines and copies, is counted before anything is read, found or not.
 */
export interface LookupDeps {
  readonly records: Pick<RecordStore, 'getMany' | 'listOwned'>;
  readonly allowance: LookupAllowance;
  readonly clock: Clock;
  readonly settings: RouteSettings;
}

const HOUR_MS = 3_600_000;

export async function lookup(deps: LookupDeps, { store }: { readonly store: Store }, { by }: LookupRequest): Promise<LookupResponse> {
  const component = components.find(({ name }) => name === 'Customer');
  if (component === undefined || componentStatus(component, store.edition) !== 'ENABLED')
    throw new SyncError('OUT_OF_SCOPE', 'Customer is not enabled for this store');
  const now = deps.clock.now();
  if (!(await deps.allowance.take(store.storeId, new Date(now).toISOString().slice(0, 13), limits.lookupsPerHour)))
    throw new SyncError('LOOKUP_LIMIT', `this store has looked up ${limits.lookupsPerHour} customers in this hour`, {
      retryAfterMs: HOUR_MS - (now % HOUR_MS),
    });
  const userId = by.kind === 'user_id' ? by.userId : await ownerOfIdentifier(deps, by);
  const customer = userId === null ? null : await live(deps, 'customer', userId);
  if (customer === null) throw new SyncError('NOT_FOUND', 'head office has no such customer');
  const owned = await ownedBy(deps, customer.key);
  const bills = owned.bills.sort((a, b) => timeOf(b) - timeOf(a));
  const shown = ({ collection, fields }: MainRecord): Fields => withoutWithheld(collectionOf(collection), fields, deps.settings);
  return {
    serverTime: new Date(now).toISOString(),
    customer: shown(customer),
    loyalty: owned.summaries.map(shown),
    bills: bills.slice(0, limits.lookupBills).map(shown),
    billsMore: bills.length > limits.lookupBills,
    expiresAt: new Date(now + limits.lookupLifeMs).toISOString(),
  };
}

async function ownerOfIdentifier(deps: LookupDeps, by: Extract<LookupRequest['by'], { kind: 'identifier' }>): Promise<string | null> {
  // In the form in which main data keeps text.
  const fields = { source: by.source, account_id: by.accountId, type: by.type, value: by.value.normalize('NFC') };
  const key = keyOf(collectionOf('customer_identifier'), fields);
  const issue = keyIssue(key);
  if (issue !== null) throw new SyncError('INVALID_INPUT', `by: the identifier makes no key: ${issue.reason}`);
  const found = await live(deps, 'customer_identifier', key);
  return found === null ? null : String(found.fields['user_id']);
}

async function live({ records }: LookupDeps, collection: string, key: string): Promise<MainRecord | null> {
  const record = (await records.getMany(collection, [key])).get(key);
  return record === undefined || record.deleted ? null : record;
}

/** By the index of owners, so only where customers are kept by working set; elsewhere every store has them anyway. */
async function ownedBy({ records }: LookupDeps, userId: string): Promise<{ summaries: MainRecord[]; bills: MainRecord[] }> {
  const keys = new Map<string, string[]>([
    ['loyalty_summary', []],
    ['bill', []],
  ]);
  for await (const part of records.listOwned(`customer/${userId}`)) for (const { collection, key } of part) keys.get(collection)?.push(key);
  const [summaries = [], bills = []] = await Promise.all(
    [...keys].map(async ([collection, own]) => [...(await records.getMany(collection, own)).values()].filter(({ deleted }) => !deleted)),
  );
  return { summaries, bills };
}

function timeOf({ fields }: MainRecord): number {
  return Date.parse(String(fields['billing_time']));
}
