import type { ListRequest } from '../../../core/ports/list-request.ts';
import {
  type Contact,
  type Enrolled,
  type PublicKey,
  type Replica,
  type Store,
  type StoreChange,
  type StoreListing,
  type StoreRegistry,
  isTrusted,
} from '../../../core/ports/store-registry.ts';
import { isNextKey, isSameKey } from '../../../core/proofs/replica-keys.ts';
import type { FeedName } from '../../../protocol/feed.ts';
import type { Certificate } from '../../../protocol/messages/report.ts';
import type { ToldSettings } from '../../../protocol/rollout.ts';
import { SyncError } from '../../../protocol/sync-error.ts';

/** As many as a transaction of the real one can. */
const REPLACED_MAX = 90;

type Code = Omit<Parameters<StoreRegistry['putEnrolmentCode']>[0], 'sha256'> & { usedBy?: string; replaced?: readonly string[] };

export class MemoryStoreRegistry implements StoreRegistry {
  readonly stores = new Map<string, Store>();
  readonly replicas = new Map<string, Replica>();
  readonly codes = new Map<string, Code>();
  readonly #voidThrough = new Map<string, number>();
  readonly changes: (StoreChange & { storeId: string })[] = [];
  readonly certificates = new Map<string, Certificate>();

  addStore(store: Store): Promise<void> {
    if (this.stores.has(store.storeId)) return Promise.reject(new SyncError('ALREADY_EXISTS', `store ${store.storeId} exists already`));
    this.stores.set(store.storeId, store);
    return Promise.resolve();
  }

  readStore(storeId: string): Promise<Store | null> {
    return Promise.resolve(this.stores.get(storeId) ?? null);
  }

  changeStore(before: Store, after: Store, at: string): Promise<'changed' | 'conflict'> {
    const { zone, edition } = before;
    const now = this.stores.get(before.storeId);
    if (now?.zone !== zone || now.edition !== edition) return Promise.resolve('conflict');
    this.stores.set(before.storeId, { ...now, zone: after.zone, edition: after.edition });
    this.changes.push({ storeId: before.storeId, at, from: { zone, edition }, to: { zone: after.zone, edition: after.edition } });
    return Promise.resolve('changed');
  }

  readStoreChanges(storeId: string): Promise<StoreChange[]> {
    return Promise.resolve(this.changes.filter((change) => change.storeId === storeId).map(({ at, from, to }) => ({ at, from, to })));
  }

  listStores({ after, limit }: ListRequest): Promise<{ stores: StoreListing[]; next: string | null }> {
    const ids = [...this.stores.keys()].sort().filter((storeId) => after === null || storeId > after);
    const stores = ids.slice(0, limit).flatMap((storeId) => this.#listing(storeId) ?? []);
    return Promise.resolve({ stores, next: ids.length > limit ? (stores.at(-1)?.store.storeId ?? null) : null });
  }

  readListing(storeId: string): Promise<StoreListing | null> {
    return Promise.resolve(this.#listing(storeId));
  }

  #listing(storeId: string): StoreListing | null {
    const store = this.stores.get(storeId);
    if (store === undefined) return null;
    const replicas = [...this.replicas.values()].filter((replica) => replica.storeId === storeId);
    const active = new Set(replicas.flatMap(({ replicaId, status }) => (status === 'ACTIVE' ? [replicaId] : [])));
    const certificates = [...this.certificates.values()].filter(({ replicaId }) => active.has(replicaId));
    return { store, replicas, certificates };
  }

  putEnrolmentCode({ sha256, ...code }: Parameters<StoreRegistry['putEnrolmentCode']>[0]): Promise<void> {
    this.codes.set(sha256, code);
    return Promise.resolve();
  }

  voidCodes(storeId: string, at: number): Promise<void> {
    this.#voidThrough.set(storeId, Math.max(at, this.#voidThrough.get(storeId) ?? -1));
    return Promise.resolve();
  }

  closeStore(storeId: string, closed: { at: string; reason: string }): Promise<void> {
    const store = this.stores.get(storeId);
    if (store !== undefined) this.stores.set(storeId, { ...store, closed });
    return Promise.resolve();
  }

  enrol(
    { sha256, now }: { sha256: string; now: number },
    { uuid, ...replica }: Omit<Replica, 'storeId' | 'replicaId'> & { uuid: string },
  ): Promise<Enrolled | null> {
    const code = this.codes.get(sha256);
    const known = this.stores.get(code?.storeId ?? '');
    if (code === undefined || known === undefined || code.expiresAt <= now) return Promise.resolve(null);
    const before = this.replicas.get(code.usedBy ?? '');
    if (before !== undefined) {
      const again = { store: known, replica: before, replaced: code.replaced ?? [] };
      return Promise.resolve(isSameKey(before.publicKey, replica.publicKey) ? again : null);
    }
    const { closed: _, ...store } = known;
    if ((this.#voidThrough.get(store.storeId) ?? -1) >= code.issuedAt) return Promise.resolve(null);
    const enrolled: Replica = { ...replica, storeId: store.storeId, replicaId: `${store.storeId}:${uuid}` };
    const active = [...this.replicas.values()].filter((one) => one.storeId === store.storeId && one.status === 'ACTIVE');
    const replaced = code.replaces === true ? active.map(({ replicaId }) => replicaId) : [];
    if (replaced.length > REPLACED_MAX) return Promise.reject(new SyncError('TOO_MANY_REPLICAS', 'somebody has to revoke some first'));
    for (const replicaId of replaced) void this.retireReplica(replicaId);
    this.codes.set(sha256, { ...code, usedBy: enrolled.replicaId, replaced });
    this.stores.set(store.storeId, store);
    this.replicas.set(enrolled.replicaId, enrolled);
    return Promise.resolve({ store, replica: enrolled, replaced });
  }

  addFork(replica: Replica & { readonly forkedFrom: string }): Promise<'added' | 'gone'> {
    if (this.replicas.get(replica.forkedFrom)?.status !== 'ACTIVE') return Promise.resolve('gone');
    if (!this.replicas.has(replica.replicaId)) this.replicas.set(replica.replicaId, replica);
    return Promise.resolve('added');
  }

  readReplica(replicaId: string): Promise<{ store: Store; replica: Replica } | null> {
    const replica = this.replicas.get(replicaId);
    const store = this.stores.get(replica?.storeId ?? '');
    return Promise.resolve(replica === undefined || store === undefined ? null : { store, replica });
  }

  noteContact(replicaId: string, contact: Contact): Promise<void> {
    return this.#change(replicaId, (replica) => ({ ...replica, ...contact }));
  }

  noteTold(replicaId: string, told: ToldSettings): Promise<void> {
    return this.#change(replicaId, (replica) => ({ ...replica, told }));
  }

  noteSynced(replicaId: string, { revision, at }: { revision: number; at: string }): Promise<void> {
    return this.#change(replicaId, (replica) => {
      const { told } = replica;
      return told?.revision === revision && told.syncedAt === null ? { ...replica, told: { ...told, syncedAt: at } } : replica;
    });
  }

  isTrusted(replicaId: string): boolean {
    const replica = this.replicas.get(replicaId);
    return replica !== undefined && isTrusted(replica);
  }

  retireReplica(replicaId: string): Promise<void> {
    return this.#change(replicaId, (replica) => (replica.status === 'ACTIVE' ? { ...replica, status: 'RETIRED' } : replica));
  }

  revokeReplica(replicaId: string): Promise<void> {
    return this.#change(replicaId, (replica) => ({ ...replica, status: 'REVOKED' }));
  }

  async offerKey(
    replicaId: string,
    { before, ...next }: { before: PublicKey; publicKey: PublicKey; since: string },
  ): Promise<'kept' | 'gone'> {
    const known = this.replicas.get(replicaId);
    if (known?.status !== 'ACTIVE' || !isSameKey(known.publicKey, before)) return 'gone';
    if (!isNextKey(known, next.publicKey)) await this.#change(replicaId, (replica) => ({ ...replica, nextKey: next }));
    return 'kept';
  }

  takeKey(replicaId: string, next: PublicKey): Promise<void> {
    return this.#change(replicaId, ({ nextKey, ...replica }) => {
      if (nextKey === undefined || !isSameKey(nextKey.publicKey, next)) return { ...replica, nextKey };
      return { ...replica, publicKey: nextKey.publicKey, keySince: nextKey.since };
    });
  }

  askForKey(replicaId: string, at: string): Promise<void> {
    return this.#change(replicaId, (replica) => ({ ...replica, newKeyAskedAt: at }));
  }

  #change(replicaId: string, change: (replica: Replica) => Replica): Promise<void> {
    const replica = this.replicas.get(replicaId);
    if (replica !== undefined) this.replicas.set(replicaId, change(replica));
    return Promise.resolve();
  }

  putCertificates(certificates: readonly Certificate[]): Promise<void> {
    for (const certificate of certificates) {
      const key = `${certificate.replicaId}/${certificate.feed}`;
      const { generation, position, issuedAt } = this.certificates.get(key) ?? { ...certificate, issuedAt: '' };
      const newer = generation === certificate.generation ? position <= certificate.position : issuedAt < certificate.issuedAt;
      if (newer) this.certificates.set(key, certificate);
    }
    return Promise.resolve();
  }

  readCertificates(replicaId: string): Promise<ReadonlyMap<FeedName, Certificate>> {
    const own = [...this.certificates.values()].filter((certificate) => certificate.replicaId === replicaId);
    return Promise.resolve(new Map(own.map((certificate) => [certificate.feed, certificate])));
  }
}
