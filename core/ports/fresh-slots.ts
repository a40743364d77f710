/**
 * How many stores may load everything at the same time. A slot is a lease: it is freed by `release`, or by its time
 * running out when a store dies on the way.
 */
export interface FreshSlots {
  /** Takes a slot for the store, or renews the one it has: all its replicas share it. false: all that it may use are taken. */
  take(storeId: string, lease: { readonly now: number; readonly until: number }): Promise<boolean>;
  /** Frees the store's slots. Idempotent. */
  release(storeId: string): Promise<void>;
}
