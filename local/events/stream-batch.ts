/**
 * The decisions of a stream mapping, without any I/O: which records make a batch, what an answer means, and what
 * remains to be done after it.
 *
 * As Lambda does it: records are never skipped and never reordered. An error halves the batch when the mapping says so
 * (halving costs no retry); a reported failure finishes what came before it; what has used up its retries or is too
 * old goes to the destination for failures, whole, and the records behind it go on.
 */
export interface BatchRecord {
  readonly sequenceNumber: string;
  readonly bytes: number;
  readonly createdAtMs: number;
}

export interface BatchSettings {
  readonly batchSize: number;
  readonly bisect: boolean;
  readonly reportItemFailures: boolean;
  /** -1: for as long as the record lives. */
  readonly retryAttempts: number;
  readonly recordAgeMaxMs: number;
}

/** Records `from` to `to` (exclusive) of a batch, and how often they failed together. */
export interface Segment {
  readonly from: number;
  readonly to: number;
  readonly attempts: number;
}

export type Outcome = { readonly kind: 'ok' } | { readonly kind: 'failed-from'; readonly index: number } | { readonly kind: 'error' };

export interface Decision {
  /** In order; the first is the next to be tried. */
  readonly segments: readonly Segment[];
  /** Records before this index are finished; null: nothing new is. */
  readonly doneTo: number | null;
  readonly setAside: { readonly segment: Segment; readonly condition: 'RetryAttemptsExhausted' | 'RecordAgeExceeded' } | null;
}

/** An event of a synchronous call holds 6 MB; the rest is for the envelope. */
const BATCH_BYTES_MAX = 6_000_000;
const BACKOFF_MAX_MS = 30_000;

/** How many of `records` make the next batch: at least one, however large. */
export function batchEnd(records: readonly BatchRecord[], batchSize: number): number {
  let bytes = 0;
  for (const [index, record] of records.slice(0, batchSize).entries()) {
    bytes += record.bytes;
    if (bytes > BATCH_BYTES_MAX) return Math.max(1, index);
  }
  return Math.min(records.length, batchSize);
}

/** What the function's answer says about `segment`. An answer that names nothing we sent fails the whole segment. */
export function outcomeOf(answer: unknown, records: readonly BatchRecord[], segment: Segment): Outcome {
  const failures = (answer as { batchItemFailures?: unknown } | null)?.batchItemFailures;
  if (failures === undefined || failures === null) return { kind: 'ok' };
  if (!Array.isArray(failures)) return { kind: 'error' };
  if (failures.length === 0) return { kind: 'ok' };
  const indexes = failures.map((failure: { itemIdentifier?: unknown } | null) =>
    records.findIndex(
      ({ sequenceNumber }, index) => index >= segment.from && index < segment.to && sequenceNumber === failure?.itemIdentifier,
    ),
  );
  if (indexes.includes(-1)) return { kind: 'error' };
  return { kind: 'failed-from', index: Math.min(...indexes) };
}

export function decide(segments: readonly Segment[], outcome: Outcome, settings: BatchSettings): Decision {
  const [head, ...rest] = segments;
  if (head === undefined) return { segments, doneTo: null, setAside: null };
  if (outcome.kind === 'ok') return { segments: rest, doneTo: head.to, setAside: null };
  if (outcome.kind === 'failed-from' && outcome.index > head.from) {
    // Progress was made: what remains starts with all its retries.
    return { segments: [{ from: outcome.index, to: head.to, attempts: 0 }, ...rest], doneTo: outcome.index, setAside: null };
  }
  if (outcome.kind === 'failed-from' || !settings.bisect || head.to - head.from === 1) return retry(head, rest, settings);
  const middle = head.from + Math.ceil((head.to - head.from) / 2);
  const halves = [
    { ...head, to: middle },
    { ...head, from: middle },
  ];
  return { segments: [...halves, ...rest], doneTo: null, setAside: null };
}

function retry(head: Segment, rest: readonly Segment[], { retryAttempts }: BatchSettings): Decision {
  const again = { ...head, attempts: head.attempts + 1 };
  if (retryAttempts < 0 || again.attempts <= retryAttempts) return { segments: [again, ...rest], doneTo: null, setAside: null };
  return { segments: rest, doneTo: head.to, setAside: { segment: again, condition: 'RetryAttemptsExhausted' } };
}

/** Sets aside what is too old at the head, before it is tried. null: the head is young enough. */
export function expire(
  segments: readonly Segment[],
  records: readonly BatchRecord[],
  { now, recordAgeMaxMs }: { now: number; recordAgeMaxMs: number },
): Decision | null {
  const [head, ...rest] = segments;
  if (head === undefined) return null;
  let end = head.from;
  while (end < head.to && now - (records[end]?.createdAtMs ?? now) > recordAgeMaxMs) end += 1;
  if (end === head.from) return null;
  const younger = end < head.to ? [{ ...head, from: end }] : [];
  return { segments: [...younger, ...rest], doneTo: end, setAside: { segment: { ...head, to: end }, condition: 'RecordAgeExceeded' } };
}

/** Before the next try of a segment that failed `attempts` times. Lambda's own figures are not published. */
export function backoffMs(attempts: number): number {
  return Math.min(BACKOFF_MAX_MS, 100 * 2 ** attempts);
}
