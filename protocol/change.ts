/**
 * One change of one record as it travels: in pages, in chunks, into a replica.
 *
 * `rev` is per record: max(previous + 1, server milliseconds). A fold and a replica take a change only if its
 * `rev` is newer than what they have, so repeats and late retries do no harm.
 */
export type WireValue = string | number | null;

/** Values stand in the order of the column names that travel with them (see sections). */
export interface Put {
  readonly key: string;
  readonly rev: number;
  readonly values: readonly WireValue[];
}

/** The record is gone, or left this scope. Kept for longer than any late repeat of an old put can take. */
export interface Tombstone {
  readonly key: string;
  readonly rev: number;
}
