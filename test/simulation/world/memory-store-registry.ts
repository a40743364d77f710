import type { ListRequest } from '../../../core/ports/list-request.ts';
import type { Contact, Replica, Store, StoreChange, StoreListing, StoreRegistry } from '../../../core/ports/store-registry.ts';
import type { FeedName } from '../../../protocol/feed.ts';
import type { Certificate } from '../../../protocol/messages/report.ts';
import { SyncError } from '../../../protocol/sync-error.ts';

export class MemoryStoreRegistry implements StoreRegistry {
  readonly stores = new Map<string, Store>();
  readonly replicas = new Map<string, Replica>();
  readonly codes = new Map<string, { storeId: string; issuedAt: number; expiresAt: number; usedBy?: string }>();
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

  enrol(
    { sha256, now }: { sha256: string; now: number },
    { uuid, ...replica }: Omit<Replica, 'storeId' | 'replicaId'> & { uuid: string },
  ): Promise<{ store: Store; replica: Replica } | null> {
    const code = this.codes.get(sha256);
    const store = this.stores.get(code?.storeId ?? '');
    if (code === undefined || store === undefined || code.expiresAt <= now) return Promise.resolve(null);
    const before = this.replicas.get(code.usedBy ?? '');
    if (before !== undefined) {
      const { x, y } = before.publicKey;
      return Promise.resolve(x === replica.publicKey.x && y === replica.publicKey.y ? { store, replica: before } : null);
    }
    if ((this.#voidThrough.get(store.storeId) ?? -1) >= code.issuedAt) return Promise.resolve(null);
    const enrolled: Replica = { ...replica, storeId: store.storeId, replicaId: `${store.storeId}:${uuid}` };
    this.codes.set(sha256, { ...code, usedBy: enrolled.replicaId });
    this.replicas.set(enrolled.replicaId, enrolled);
    return Promise.resolve({ store, replica: enrolled });
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
    const replica = this.replicas.get(replicaId);
    if (replica !== undefined) this.replicas.set(replicaId, { ...replica, ...contact });
    return Promise.resolve();
  }

  revokeReplica(replicaId: string): Promise<void> {
    const replica = this.replicas.get(replicaId);
    if (replica !== undefined) this.replicas.set(replicaId, { ...replica, status: 'REVOKED' });
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
