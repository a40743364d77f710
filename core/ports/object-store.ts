import type { PutAddress } from '../../protocol/messages/push.ts';

/**
 * Objects of one bucket. Keys are content-addressed, so `put` may repeat or race without harm
 * and nothing here needs a conditional put.
 */
export interface StoredObject {
  readonly key: string;
  /** When it was last put, milliseconds. */
  readonly at: number;
}

export interface ObjectStore {
  /** Idempotent. Durable when it returns. */
  put(key: string, bytes: Uint8Array): Promise<void>;
  /** Throws `NOT_FOUND`, and `INTEGRITY` for one that is larger. Reads what `put` wrote, at once (strong consistency). */
  get(key: string, bytesMax?: number): Promise<Uint8Array>;
  /** Objects whose key begins with `prefix`, a part at a time, by key. */
  list(prefix: string): AsyncIterable<StoredObject[]>;
  /** Idempotent. */
  delete(keys: readonly string[]): Promise<void>;
  /** A URL that lets anyone read exactly this object for `seconds`. Does not check that it exists. */
  presignGet(key: string, seconds: number): Promise<string>;
  /** An address that lets anyone put exactly these bytes there for `seconds`, as often as they like. */
  presignPut(key: string, content: { readonly bytes: number; readonly sha256: string; readonly seconds: number }): Promise<PutAddress>;
}
