/** Every limit of the product, by name and with its arithmetic. Units are the last word of a name. */

const KIB = 1024;
const MIB = 1024 * KIB;

export const limits = {
  /** Rows between two chunk boundaries on average. 16,000 rows × ~88 bytes packed ≈ 1.4 MB an object. */
  chunkRowsTarget: 16_000,
  /** A range above this is split at finer boundaries: 32,000 rows × ~330 bytes ≈ 10 MB of JSON, ~40 MB parsed. */
  chunkRowsMax: 32_000,
  /** Unpacked size above which a chunk is refused before it is parsed: 32,000 rows × 8 KiB is far above any record we know. */
  chunkRawBytesMax: 256 * MIB,
  /** A DynamoDB item holds 400 KB; key, head and attribute names take less than 10 KB. */
  pageBytesMax: 350 * KIB,
  /** Unpacked page: stays far below what a store can parse in one piece. */
  pageRawBytesMax: 2 * MIB,
  pageRowsMax: 5_000,
  /** One record as canonical JSON. An item holds 400 KB; the largest known record (e-mail template) is 60 KB. */
  recordBytesMax: 256 * KIB,
  /** Base64 of pages in one plan answer: a Lambda answer holds 6 MB, ×4/3 for base64 and 1 MB for the rest. */
  planPagesBytesMax: 3 * MIB,
  /** Chunk URLs in one plan answer: 64 × ~1.5 KB ≈ 100 KB. */
  planChunkUrlsMax: 64,
  /** A replica further behind than this many pages reconciles against a snapshot instead of reading the tail. */
  tailPagesMax: 2_000,
  /** Changes folded by one compaction step: 250,000 × ~1 KB parsed ≈ 250 MB of a 3 GB function. */
  compactionChangesMax: 250_000,
  /** Tombstones live longer than stream retention (24 h) + longest retry (24 h) + offline horizon (45 d), doubled. */
  tombstoneLifeMs: 90 * 86_400_000,
  /** Presigned URLs: long enough for one chunk at 256 kbit/s (1.4 MB ≈ 45 s, ×10), short if leaked. */
  presignedUrlSeconds: 900,
  /** A signed request is good for this long either side of the server's clock. */
  requestSkewMs: 120_000,
  enrolmentCodeLifeMs: 24 * 3_600_000,
  /** One request body: API Gateway takes 10 MB, Lambda 6 MB; nothing a store sends to plan or report is near 1 MB. */
  requestBytesMax: 1 * MIB,
  /** Records in one console write call: 500 × up to ~10 KB = 5 MB of the 6 MB a Lambda takes. */
  writeBatchMax: 500,
  writeBatchBytesMax: 4 * MIB,
} as const;
