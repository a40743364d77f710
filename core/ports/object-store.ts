/**
 * Objects of the snapshots bucket. Keys are content-addressed, so `put` may repeat or race without harm
 * and nothing here needs a conditional put.
 */
export interface ObjectStore {
  /** Idempotent. Durable when it returns. */
  put(key: string, bytes: Uint8Array): Promise<void>;
  /** Throws `NOT_FOUND`. Reads what `put` wrote, at once (strong consistency). */
  get(key: string): Promise<Uint8Array>;
  /** A URL that lets anyone read exactly this object for `seconds`. Does not check that it exists. */
  presignGet(key: string, seconds: number): Promise<string>;
}
