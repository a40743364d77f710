import type { Edition } from '../../protocol/catalogue/types.ts';
import type { FeedName } from '../../protocol/feed.ts';
import type { Certificate } from '../../protocol/messages/report.ts';
import type { ToldSettings } from '../../protocol/rollout.ts';
import type { ListRequest } from './list-request.ts';

export interface Store {
  readonly storeId: string;
  readonly name: string;
  readonly edition: Edition;
  readonly zone: string | null;
  readonly timeZone: string;
  readonly currency: string;
  readonly createdAt: string;
  /** It was decommissioned, and no replica enrolled since. */
  readonly closed?: { readonly at: string; readonly reason: string } | undefined;
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

/**
 * `ACTIVE`: it is let in. `RETIRED`, because another took its place or its store closed: it is refused from then on, and what head office
 * has acknowledged is applied (INV-11). `REVOKED`, by a person who does not trust it: nothing of it is applied any more (INV-25).
 */
export const REPLICA_STATUSES = ['ACTIVE', 'RETIRED', 'REVOKED'] as const;

/** A replica's id is `<storeId>:<uuid>`, so its rows are found from the id alone. */
export interface Replica {
  readonly replicaId: string;
  readonly storeId: string;
  readonly publicKey: PublicKey;
  readonly status: (typeof REPLICA_STATUSES)[number];
  readonly enrolledAt: string;
  /** The replica whose disk it was restored or copied from; absent where it enrolled with a code. */
  readonly forkedFrom?: string | undefined;
  /** When it was last heard of, to within `contactNoteMs`, in a fresh run `freshContactNoteMs`; absent until then. */
  readonly heardAt?: string | undefined;
  readonly agentVersion?: string | undefined;
  /** Its clock minus head office's, ms, when it was last measured. */
  readonly skewMs?: number | undefined;
  /** When its store said that `publicKey` is next; absent: it is the one it enrolled with. */
  readonly keySince?: string | undefined;
  /** The one that its store will sign with. */
  readonly nextKey?: { readonly publicKey: PublicKey; readonly since: string } | undefined;
  /** When somebody wanted it to have another key. */
  readonly newKeyAskedAt?: string | undefined;
  /** The store settings that it was told last, while its store is a canary; absent where it never was. */
  readonly told?: ToldSettings | undefined;
}

/** What head office has of it is applied. */
export function isTrusted({ status }: Pick<Replica, 'status'>): boolean {
  return status !== 'REVOKED';
}

/** A replica that never asked for anything was last heard of when it enrolled. */
export function lastHeardAt({ heardAt, enrolledAt }: Pick<Replica, 'heardAt' | 'enrolledAt'>): string {
  return heardAt ?? enrolledAt;
}

export interface Contact {
  readonly heardAt: string;
  readonly agentVersion: string;
  readonly skewMs: number;
}

/** A store with all its replicas, and the certificates of those that are active. */
export interface StoreListing {
  readonly store: Store;
  readonly replicas: readonly Replica[];
  readonly certificates: readonly Certificate[];
}

export interface Enrolled {
  readonly store: Store;
  readonly replica: Replica;
  /** Whose place it took. */
  readonly replaced: readonly string[];
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
  /** Only the code's sha256 is kept. Times are ms. `replaces`: whoever enrols with it takes the place of every active replica. */
  putEnrolmentCode(code: { sha256: string; storeId: string; issuedAt: number; expiresAt: number; replaces?: boolean }): Promise<void>;
  /** Nobody enrols with a code of the store that was issued up to `at` (ms) and not used by then (INV-25). */
  voidCodes(storeId: string, at: number): Promise<void>;
  /**
   * Binds the code to the public key and registers the replica in one transaction: of two keys with one code exactly
   * one wins. The same code with the same key gives the same replica again until the code expires, because the answer
   * may have been lost. With a code that replaces, the replicas that were active are retired in the same transaction, and named. A
   * store that was closed is open again. Null when there is no such code, it has expired at `now` (ms) or is void, or another key has used it.
   */
  enrol(
    code: { sha256: string; now: number },
    replica: Omit<Replica, 'storeId' | 'replicaId'> & { uuid: string },
  ): Promise<Enrolled | null>;
  /** Until the next enrolment. */
  closeStore(storeId: string, closed: { readonly at: string; readonly reason: string }): Promise<void>;
  /**
   * Another replica of a store, as long as the one it comes from is active (INV-25): `gone` if it is not. The same one again
   * changes nothing.
   */
  addFork(replica: Replica & { readonly forkedFrom: string }): Promise<'added' | 'gone'>;
  /** An active one is refused from the next request on; any other is left as it is. */
  retireReplica(replicaId: string): Promise<void>;
  /** From the next request on it is nobody's, and nothing of it is applied; for good. One that is gone is left gone. */
  revokeReplica(replicaId: string): Promise<void>;
  /** The key that comes after `before`, in place of another one that was to; the same one again changes nothing. `gone`: it is not active with that key any more. */
  offerKey(
    replicaId: string,
    key: { readonly before: PublicKey; readonly publicKey: PublicKey; readonly since: string },
  ): Promise<'kept' | 'gone'>;
  /** The next key was used: it is the only one now (INV-55). Nothing if it is not the next one any more. */
  takeKey(replicaId: string, next: PublicKey): Promise<void>;
  askForKey(replicaId: string, at: string): Promise<void>;
  /** Store and replica rows in one strongly consistent read. */
  readReplica(replicaId: string): Promise<{ store: Store; replica: Replica } | null>;
  /** Kept in the replica's row; a replica that is gone is left gone. */
  noteContact(replicaId: string, contact: Contact): Promise<void>;
  noteTold(replicaId: string, told: ToldSettings): Promise<void>;
  /** It synced with what it was told as `revision`; nothing if it was told something else since, or has synced before. */
  noteSynced(replicaId: string, synced: { readonly revision: number; readonly at: string }): Promise<void>;
  /**
   * One per replica and feed. A report may come late or twice, so within a generation a certificate gives way only to
   * one of the same or a later position, and to one of another generation only if that was issued later.
   */
  putCertificates(certificates: readonly Certificate[]): Promise<void>;
  readCertificates(replicaId: string): Promise<ReadonlyMap<FeedName, Certificate>>;
}
