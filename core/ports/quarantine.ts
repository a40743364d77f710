import type { ListRequest } from './list-request.ts';

/** Input that could not be processed: kept, shown to an operator, never in the way of the rest. */
export interface QuarantineEntry {
  /** Same input, same id: putting it twice is one entry. */
  readonly id: string;
  /** Where it was met, for example `feed-writer`. */
  readonly source: string;
  readonly reason: string;
  /** ISO time it was first met. */
  readonly at: string;
  readonly item: unknown;
}

export interface Quarantine {
  /** Keeps every entry, whatever its size: of an item that is too large, size and sha256 stay instead of the large part. */
  put(entries: readonly QuarantineEntry[]): Promise<void>;
  /** For what must not be kept. */
  remove(ids: readonly string[]): Promise<void>;
  /** By id. `next`: what to list after for more; null: that was all. */
  list(request: ListRequest): Promise<{ readonly entries: QuarantineEntry[]; readonly next: string | null }>;
}
