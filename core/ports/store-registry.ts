import type { Edition } from '../../protocol/catalogue/types.ts';
import type { FeedName } from '../../protocol/feed.ts';
import type { Certificate } from '../../protocol/messages/report.ts';
import type { ListRequest } from './list-request.ts';

export interface Store {
  readonly storeId: string;
  readonly name: string;
  readonly edition: Edition;
  readonly zone: string | null;
  readonly timeZone: string;
  readonly currency: string;
  readonly createdAt: string;
}

/** One entry of a store's audit. */
export interface StoreChange {
  readonly at: string;
  readonly from: Pick<Store, 'zone' | 'edition'>;
  readonly to: Pick<Store, 'zone' | 'edition'>;
}

/** Public half of a replica's P-256 key pair. */
export interface PublicKey {
  readonly kty: 'EC';
  readonly crv: 'P-256';
  readonly x: string;
  readonly y: string;
}

/** A replica's id is `<storeId>:<uuid>`, so its rows are found from the id alone. */
export interface Replica {
  readonly replicaId: string;
  readonly storeId: string;
  readonly publicKey: PublicKey;
  readonly status: 'ACTIVE' | 'REVOKED';
  readonly enrolledAt: string;
  /** The replica whose disk it was restored or copied from; absent where it enrolled with a code. */
  readonly forkedFrom?: string | undefined;
  /** When it last asked for a plan, to within `contactNoteMs`; absent until then. */
  readonly heardAt?: string | undefined;
  readonly agentVersion?: string | undefined;
}

/** A replica that never asked for anything was last heard of when it enrolled. */
export function lastHeardAt({ heardAt, enrolledAt }: Pick<Replica, 'heardAt' | 'enrolledAt'>): string {
  return heardAt ?? enrolledAt;
}

export interface Contact {
  readonly heardAt: string;
  readonly agentVersion: string;
}

/** A store with all its replicas, and the certificates of those that are active. */
export interface StoreListing {
  readonly store: Store;
  readonly replicas: readonly Replica[];
  readonly certificates: readonly Certificate[];
}

export interface StoreRegistry {
  /** `ALREADY_EXISTS` when the id is taken. */
  addStore(store: Store): Promise<void>;
  readStore(storeId: string): Promise<Store | null>;
  /**
   * A new zone or edition and, in the same transaction, an entry of the store's audit with both values and the time.
   * `conflict` when zone or edition are not those of `before` any more; nothing was written then.
   */
  changeStore(before: Store, after: Store, at: string): Promise<'changed' | 'conflict'>;
  readStoreChanges(storeId: string): Promise<StoreChange[]>;
  /** By store id. `next`: what to list after for more; null: that was all. */
  listStores(request: ListRequest): Promise<{ readonly stores: StoreListing[]; readonly next: string | null }>;
  readListing(storeId: string): Promise<StoreListing | null>;
  /** Only the code's sha256 is kept. Times are ms. */
  putEnrolmentCode(code: { sha256: string; storeId: string; issuedAt: number; expiresAt: number }): Promise<void>;
  /** Nobody enrols with a code of the store that was issued up to `at` (ms) and not used by then (INV-25). */
  voidCodes(storeId: string, at: number): Promise<void>;
  /**
   * Binds the code to the public key and registers the replica in one transaction: of two keys with one code exactly
   * one wins. The same code with the same key gives the same replica again until the code expires, because the answer
   * may have been lost. Null when there is no such code, it has expired at `now` (ms) or is void, or another key has used it.
   */
  enrol(
    code: { sha256: string; now: number },
    replica: Omit<Replica, 'storeId' | 'replicaId'> & { uuid: string },
  ): Promise<{ store: Store; replica: Replica } | null>;
  /**
   * Another replica of a store, as long as the one it comes from is active (INV-25): `gone` if it is not. The same one again
   * changes nothing.
   */
  addFork(replica: Replica & { readonly forkedFrom: string }): Promise<'added' | 'gone'>;
  /** From the next request on it is nobody's; for good. One that is gone is left gone. */
  revokeReplica(replicaId: string): Promise<void>;
  /** Store and replica rows in one strongly consistent read. */
  readReplica(replicaId: string): Promise<{ store: Store; replica: Replica } | null>;
  /** Kept in the replica's row; a replica that is gone is left gone. */
  noteContact(replicaId: string, contact: Contact): Promise<void>;
  /**
   * One per replica and feed. A report may come late or twice, so within a generation a certificate gives way only to
   * one of the same or a later position, and to one of another generation only if that was issued later.
   */
  putCertificates(certificates: readonly Certificate[]): Promise<void>;
  readCertificates(replicaId: string): Promise<ReadonlyMap<FeedName, Certificate>>;
}
