import { generateKeyPairSync } from 'node:crypto';
import type { JWK } from 'jose';
import { createRequestSigner } from '../../../agent/transport/request-signer.ts';
import { retryBackoff, defaultRetry } from '../../../agent/transport/retry.ts';
import { contactResponseSchema } from '../../../protocol/messages/contact.ts';
import { type PlanResponse, planResponseSchema } from '../../../protocol/messages/plan.ts';
import { pushResponseSchema } from '../../../protocol/messages/push.ts';
import { reportResponseSchema } from '../../../protocol/messages/report.ts';
import { SyncError, isSyncError } from '../../../protocol/sync-error.ts';
import { PROTOCOL_VERSION } from '../../../protocol/version.ts';
import { TestOutbox } from '../../fixtures/operations.ts';
import { AUDIENCE, type StormOffice } from './office.ts';
import type { Door, Schema } from './door.ts';
import type { VirtualTime } from './virtual-time.ts';

/**
 * A store that logs on: sends what it recorded, gets what is new or everything, proves it, and says so; with the real signature
 * of every request and the real retries. A sync that gives up is begun again as the running agent begins it.
 */
export interface StormStore {
  readonly replicaId: string;
  /** Virtual ms from its logon until it was in step and head office had applied what it sent. */
  took: number | null;
  firstTries: number;
  retries: number;
  /** Syncs that gave up. */
  failed: number;
}

interface Deps {
  readonly time: VirtualTime;
  readonly door: Door;
  readonly office: StormOffice;
}

/** What a first load takes of the objects, and a store's processor. */
const LOAD_MS = 45_000;
/** As the running agent waits after a sync that failed: a minute, more or less. */
const AGAIN_MS = 60_000;
const OPERATIONS = 3;

export async function enrolled(office: StormOffice, index: number): Promise<{ replicaId: string; privateKey: JWK }> {
  const storeId = `S${index}`;
  const replicaId = `${storeId}:00000000-0000-7000-8000-${String(index).padStart(12, '0')}`;
  const privateKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }) as JWK;
  const { x = '', y = '' } = privateKey;
  await office.registry.addStore({ storeId, name: '', edition: 'core', zone: null, timeZone: 'UTC', currency: 'GBP', createdAt: '' });
  const publicKey = { kty: 'EC', crv: 'P-256', x, y } as const;
  office.registry.replicas.set(replicaId, { replicaId, storeId, publicKey, status: 'ACTIVE', enrolledAt: new Date(0).toISOString() });
  return { replicaId, privateKey };
}

interface LogonInput {
  readonly identity: { readonly replicaId: string; readonly privateKey: JWK };
  readonly at: number;
  /** Where a delta begins; null: a first load. */
  readonly known: readonly { feed: string; generation: string; position: number }[] | null;
}

export async function logon(deps: Deps, { identity, at, known }: LogonInput): Promise<StormStore> {
  const { time, office } = deps;
  const { replicaId } = identity;
  const store: StormStore = { replicaId, took: null, firstTries: 0, retries: 0, failed: 0 };
  const sign = await createRequestSigner({ ...identity, organization: AUDIENCE });
  const outbox = new TestOutbox(time.now);
  const storeId = replicaId.split(':')[0] ?? '';
  for (let n = 0; n < OPERATIONS; n += 1)
    outbox.put('bill', {
      till_code: storeId,
      bill_client_id: String(n),
      type: 'NOT_INTERESTED',
      number: String(n),
      billing_time: '2026-11-23T08:00:00Z',
      billing_zone: 'UTC',
      amount: '1',
      currency_code: 'GBP',
      store_code: storeId,
    });
  const ask = <T>(path: string, message: object, schema: Schema<T>) =>
    retried(deps, store, async () => {
      const body = JSON.stringify({ protocol: PROTOCOL_VERSION, ...message });
      const issuedAt = Math.floor(time.now / 1_000);
      const authorization = await time.work(() =>
        sign({ method: 'POST', path, body, issuedAt, id: '00000000-0000-7000-8000-000000000001' }),
      );
      return deps.door.post(path, body, { authorization, schema });
    });
  await time.sleep(at - time.now);
  const began = time.now;
  for (;;) {
    try {
      await sync({ deps, ask, outbox, known });
      break;
    } catch (error) {
      if (!isSyncError(error)) throw error;
      store.failed += 1;
      await time.sleep(AGAIN_MS * (0.5 + Math.random()));
    }
  }
  while ((await office.uploads.readHead(replicaId)).appliedThrough < OPERATIONS) await time.sleep(20);
  store.took = time.now - began;
  return store;
}

type Ask = <T>(path: string, message: object, schema: Schema<T>) => Promise<T>;

async function sync({ deps, ask, outbox, known }: { deps: Deps; ask: Ask; outbox: TestOutbox; known: LogonInput['known'] }): Promise<void> {
  const push = { agentVersion: 'storm', after: outbox.markAt(0), operations: outbox.operations, receiptsAfter: 0, revisedAfter: 0 };
  await ask('/v1/push', push, pushResponseSchema);
  let feeds = known ?? [];
  for (;;) {
    const asked = feeds.map((cursor) => ({ ...cursor, want: 'tail' }));
    const plan = await ask('/v1/plan', { agentVersion: 'storm', feeds: asked, withUploads: true }, planResponseSchema);
    const waits = plan.feeds.flatMap((one) => (one.action === 'wait' ? [one.retryAfterMs] : []));
    if (waits.length > 0) {
      await deps.time.sleep(Math.max(...waits));
      continue;
    }
    if (plan.feeds.every((one) => one.action === 'tail' && !one.more)) break;
    feeds = await load(deps, ask, plan);
  }
  await ask('/v1/contact', { agentVersion: 'storm', run: null, commands: [] }, contactResponseSchema);
}

async function load({ time }: Deps, ask: Ask, { feeds }: PlanResponse): Promise<{ feed: string; generation: string; position: number }[]> {
  const snapshots = feeds.flatMap((one) => (one.action === 'reconcile' ? [one] : []));
  await time.sleep(LOAD_MS);
  const shown = snapshots.map(({ feed, generation, snapshot: { position, rows, root } }) => ({ feed, generation, position, rows, root }));
  const { certificates } = await ask('/v1/report', { loaded: true, feeds: shown }, reportResponseSchema);
  if (certificates.length !== shown.length) throw new SyncError('INTEGRITY', 'a snapshot was not certified');
  return shown.map(({ feed, generation, position }) => ({ feed, generation, position }));
}

async function retried<T>({ time }: Deps, store: StormStore, run: () => Promise<T>): Promise<T> {
  store.firstTries += 1;
  let backoff: Pick<ReturnType<typeof retryBackoff>, 'next'> = retryBackoff(defaultRetry);
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await run();
    } catch (error) {
      if (!isSyncError(error, 'UNAVAILABLE') || attempt >= defaultRetry.attemptsMax) throw error;
      const next = backoff.next({ result: { error }, attempt, signal: new AbortController().signal });
      backoff = next;
      store.retries += 1;
      await time.sleep(next.duration);
    }
  }
}
