/** Limits of the agent, by name and with their arithmetic. Units are the last word of a name. */
const MIB = 1024 * 1024;

export const agentLimits = {
  /** Below this SQLite has the WAL-reset bug (two connections that checkpoint at once may corrupt the file). */
  sqliteVersionMin: '3.51.3',
  /** Chunks ahead of the one being inserted: downloading or unpacked. */
  chunksAhead: 3,
  /** Unpacked text ahead of the one being inserted. A chunk of 16,000 rows × ~330 bytes is ~5 MB. */
  aheadRawBytesMax: 32 * MIB,
  /** Left free on the disk for whatever else the till does. */
  diskReserveBytes: 128 * MIB,
  /** Replica file against unpacked rows: rows as they are, indexes, and the sort while indexes are made. */
  diskPerRawByte: 1.6,
  /** An answer of head office: 3 MiB of pages as base64, chunk URLs and the rest. */
  answerBytesMax: 16 * MIB,
  /** 16,000 rows a chunk: a manifest of 100 million rows is 6,250 chunks × ~350 bytes. */
  manifestBytesMax: 64 * MIB,
  requestTimeoutMs: 60_000,
  /** An object of 1 MB at 64 kbit/s is 130 s; what takes longer goes in batches. */
  putTimeoutMs: 300_000,
  /** Objects are tried less often than requests, because batches are the other way. */
  putAttemptsMax: 2,
  /** A download without a single byte for this long is cut and resumed. */
  stallTimeoutMs: 30_000,
  attemptsMax: 6,
  retryFirstMs: 250,
  retryMaxMs: 20_000,
  /**
   * Whoever is turned away at head office's door, where nobody says for how long, waits this long and up to twice as long: 5,000
   * stores at one moment are 1,000 that are let in and 4,000 that come again at 500 a second, which is what the door lets in.
   */
  crowdedRetryMs: 8_000,
  /** Rows a digest slice reads at once: 50,000 × ~35 bytes ≈ 2 MB of text. */
  digestSliceRows: 50_000,
  /** A first load that failed is taken up again after this; once it is complete, a failed sync waits for its turn. */
  freshAgainMs: 60_000,
  /** A running agent comes by at head office this often: a command is there within a minute. */
  contactMs: 45_000,
  /** And one that was revoked this often: it is for a person, and a hundred of them are not 8,000 refused requests an hour. */
  refusedContactMs: 15 * 60_000,
  /** While it works it says how far it is this often at most. */
  progressReportMs: 3_000,
  /** Uploads that keep failing are tried at least this often. */
  breakerMaxMs: 10 * 60_000,
  /** Somebody stands at the till while a customer is looked up. */
  lookupTimeoutMs: 5_000,
  /** A running agent looks this often whether something was recorded: a read of a few pages. */
  outboxPollMs: 2_000,
  /** Two programs that record at the same time wait for each other this long. */
  outboxBusyMs: 5_000,
  /** Entries that are closed stay for whoever asks what became of them. */
  outboxRetentionMs: 30 * 86_400_000,
  /** Closed entries that are thrown away at a time, because the till waits meanwhile: bench `outbox` says how long. */
  outboxPurgeMax: 1_000,
  /** Receipts are waited for at most this long by a run that waits. */
  receiptsWaitMs: 30_000,
  /** Rounds without progress before a sync gives up. */
  fruitlessRoundsMax: 3,
  /** Rows in one multi-row insert (measured best: 50). */
  rowsPerInsert: 50,
  /** Column sets whose statements are kept for pages: 64 × ~6 statements × ~10 kB ≈ 4 MB. */
  preparedWritesMax: 64,
  /**
   * Pages in the WAL before they are moved into the file: 16,000 × 4 KiB ≈ 64 MiB. 1,000 rows at random dirty ~1,000
   * pages, so with SQLite's own 1,000 every such delta would be written, and synced, twice before it returned.
   */
  walPagesMax: 16_000,
} as const;
