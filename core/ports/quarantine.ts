/** Input that could not be processed: kept whole, shown to an operator, never in the way of the rest. */
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
  put(entries: readonly QuarantineEntry[]): Promise<void>;
  list(): Promise<QuarantineEntry[]>;
}
