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
  /** What a quarantined item may take of the 400 KB of its item; id, reason and attribute names take less than 8 KB. */
  quarantineItemBytesMax: 350 * KIB,
  /** A key of main data is a sort key. */
  keyBytesMax: 1024,
  /** Entries of one list answer: 100 stores × 2 replicas × 25 certificates × 350 bytes = 1.8 MB of the 6 MB a Lambda answers. */
  listMax: 100,
  /** Base64 of pages in one plan answer: a Lambda answer holds 6 MB, ×4/3 for base64 and 1 MB for the rest. */
  planPagesBytesMax: 3 * MIB,
  /** Chunk URLs in one plan answer: 64 × ~1.5 KB ≈ 100 KB. */
  planChunkUrlsMax: 64,
  /** Pages that make a segment. The unsealed rest, at most this many, is all that stores read from DynamoDB: 16 × ~8 KB. */
  sealPages: 16,
  /**
   * A batch with this many changes of a feed is sealed at once: every store would pay for its page, 256 × ~100 bytes = 7 read
   * units, and a segment costs a PUT and a run, as much as 80 read units, once.
   */
  sealChanges: 256,
  /** Segments of one level that make one of the next: 16 pages, 256, 4,096, 65,536. */
  sealFanout: 16,
  segmentLevelMax: 3,
  /** A segment is applied in one transaction and unpacked in one piece: 100,000 rows × ~330 bytes = 33 MB. */
  segmentRowsMax: 100_000,
  segmentRawBytesMax: 32 * MIB,
  /** The index is one item: 1,000 × ~80 bytes packed = 80 KB of 400 KB. A feed that has more has a shorter horizon. */
  segmentsMax: 1_000,
  /** A segment that a larger one covers stays for stores that are only a little behind: a week of small, three of middle ones. */
  coveredSegmentLifeMs: [7 * 86_400_000, 21 * 86_400_000],
  /** A store that was away for longer reconciles: longer than a refit or a summer's closing. */
  horizonMs: 45 * 86_400_000,
  /** The bucket throws a segment away at this age: no index that was looked at names one behind the horizon, and plans are worked off in days. */
  segmentLifeMs: 60 * 86_400_000,
  /** A replica's contact is written down at most this often: 4 writes a day and store, and the horizon is 180 times as long. */
  contactNoteMs: 21_600_000,
  /** In a fresh run: its check calls a store silent after an hour, which must not be a store that talks. */
  freshContactNoteMs: 900_000,
  /** Sealed pages stay this long for calls that are under way; a function runs 15 minutes at most. */
  pageLifeMs: 3_600_000,
  /** Operations in one push and in one transaction that applies them: a transaction has 100 parts, one is the watermark. */
  pushOperationsMax: 99,
  /** Bytes of one push: an item of DynamoDB has 400 KB. */
  pushBytesMax: 262_144,
  /** A backlog of at least this much goes up as an object: that takes 3 requests whatever is in it, 500 operations in batches take 6. */
  uploadOperationsMin: 500,
  /** Operations of one object: 500,000 bills are 50 objects. Checked at the door in well under a second of one core. */
  uploadOperationsMax: 10_000,
  /** Unpacked: 10,000 operations × ~500 bytes = 5 MB, ~40 MB parsed. The largest single operation is a push of its own, 256 KB. */
  uploadRawBytesMax: 8 * MIB,
  /** Packed: 500 to 1,000 KB as a rule; what cannot be packed at all grows by 1/256. */
  uploadBytesMax: 8 * MIB + 64 * KIB,
  /**
   * An object that is not applied in this time is thrown away and asked for again: as long as a queue keeps what failed, so
   * that somebody can look. What is applied goes at once.
   */
  uploadLifeMs: 14 * 86_400_000,
  /** An object that was put and is not in the inbox a day later never will be: its address was good for minutes. */
  uploadUnclaimedMs: 86_400_000,
  /** Runs and commands that are over stay this long for whoever asks what happened. */
  runsKeptMs: 30 * 86_400_000,
  /** Receipts in one answer: 500 × ~200 bytes. */
  receiptsMax: 500,
  /** Stores that load everything at the same time: 200 × 5 Mbit/s = 1 Gbit/s, and 200 plan calls a minute or so. */
  freshSlots: 200,
  /** A load that is not done in this time asks again for addresses, and with it for its slot. */
  freshSlotMs: 900_000,
  /** A store that waits for a slot comes back after this, or up to twice as long: 1,000 stores are 22 calls a second. */
  freshRetryMs: 30_000,
  /** Between two checks of a fresh run: a store on 1 Mbit/s loads 450 MB in it, and an operator is told within the hour. */
  freshCheckSeconds: 3_600,
  /**
   * Checks in one execution of the fresh workflow, which then goes on as a new one. A history holds 25,000 events; a round is 18
   * (wait 2, two tasks of 5, two choices and a count of 2), 36 if each task was retried three times: 600 × 36 = 21,600.
   */
  freshChecksPerExecution: 600,
  /** A collection's partitions: 64 × 1,000 writes a second, and it is read without a scan of everything. Part of what is stored: never change it. */
  recordBuckets: 64,
  /** A bill keeps its customer at its store for 24 months (domain page): a third of customers come once a year or less. */
  workingSetMs: 730 * 86_400_000,
  /** Customers that one store may look up in an hour: a busy store meets a few strangers a minute; 240 an hour copy nothing worth having. */
  lookupsPerHour: 240,
  /** Bills of a customer that was looked up: 20 × ~600 bytes. */
  lookupBills: 20,
  /** How long a store may keep a customer that it looked up: the day of the visit. */
  lookupLifeMs: 86_400_000,
  /** A record says this long where it was: as long as a segment that leads there can be in the bucket. */
  leftScopeMs: 60 * 86_400_000,
  /** Records of one step of a rebuild: 500 reads and 500 writes of up to 10 ms, 16 at once. */
  rebuildRecords: 500,
  /** How far the stream's times, which are whole seconds, may be ahead of a function's clock. */
  streamSkewMs: 2_000,
  /** A change that is younger may still be on its way from main data's stream: seconds as a rule, minutes after a bad batch. */
  streamLagMs: 600_000,
  /** Segments named in one plan answer: 32 × ~1.5 KB of URLs. */
  planSegmentsMax: 32,
  /** A snapshot this many pages behind its feed's head is asked to be renewed when a store has to use it. */
  snapshotPagesBehindMax: 256,
  /** A snapshot stays this long after the next one, for stores that are loading it: 5 GB at 1 Mbit/s are half a day. */
  snapshotLifeMs: 86_400_000,
  /**
   * Tombstones of an erased customer go after this: a late batch of the stream (24 h) would bring the record back, and as
   * long again for the retry.
   */
  erasurePurgeMs: 2 * 86_400_000,
  /** Changes folded by one compaction step: 250,000 × ~1 KB parsed ≈ 250 MB of a 3 GB function. */
  compactionChangesMax: 250_000,
  /** Tombstones live longer than stream retention (24 h) + longest retry (24 h) + offline horizon (45 d), doubled. */
  tombstoneLifeMs: 90 * 86_400_000,
  /**
   * Presigned URLs: long enough for one chunk at 256 kbit/s (1.4 MB ≈ 45 s, ×6), short if leaked. Looked at when a transfer begins,
   * and a new one is asked for when it has run out.
   */
  presignedUrlSeconds: 300,
  /** A signed request is good for this long either side of the server's clock. */
  requestSkewMs: 120_000,
  /** A store's clock that is off by more is somebody's to set: what is recorded counts as at most this far ahead. */
  clockOffMs: 300_000,
  /** A replica's clock is written down anew when it moved by this much; less is the network's. */
  clockMovedMs: 30_000,
  /** A replica makes itself another key after this: what may have been copied of a disk is worth nothing any more. */
  keyLifeMs: 90 * 86_400_000,
  /** The old key is good beside the new one for at most this long, until the new one is used first: a store's day without a network. */
  keyOverlapMs: 86_400_000,
  /**
   * Replicas that come of the disks of one store in a day: ten tills whose image is reset at every boot, started twice. Whoever has stolen a
   * key and forks it gets no more of anything that is counted by replica.
   */
  forksPerDay: 20,
  /** Wrong enrolment codes from one address: people mistype one twice, and a store has one line. */
  wrongCodesPerHour: 5,
  enrolmentCodeLifeMs: 24 * 3_600_000,
  /**
   * Requests of one agent to one instance of a function: a till that sells asks a few times a minute, a backlog in batches of 99 at
   * most 20 times a second (50 ms each), and whoever comes after a long time makes up to 300 of them in a row.
   */
  agentRequests: { perSecond: 20, burst: 300 },
  /** Agents that one instance remembers the requests of: 10,000 × about 100 bytes. */
  agentsRemembered: 10_000,
  /** One request body: API Gateway takes 10 MB, Lambda 6 MB; nothing a store sends to plan or report is near 1 MB. */
  requestBytesMax: 1 * MIB,
  /** Canary stores: their ids, 50 × 64 bytes, and two settings are 4 KB, one read unit; they are read one by one when a rollout is judged. */
  rolloutStoresMax: 50,
  /** Failed runs of one store within as long count once, so that a store that syncs more often, and fails as often in a hundred, is no rise. */
  rolloutSlotHours: 1 / 4,
  /**
   * How many there may be at all canary stores together: `times` as many as in as long a time before, and `more`. Two bad quarters of
   * an hour are a line that was down, and a third one at a store, or one at a third store, stops; five records that need a person are a till
   * that sold something odd. A feed that was found different is never the settings' right.
   */
  rolloutRise: {
    failedRuns: { times: 2, more: 2 },
    issues: { times: 2, more: 5 },
    differences: { times: 1, more: 0 },
  },
  /** How long a function may take an answer by what it knows of the rollout: a minute, and 1 read unit a minute for each of its instances. */
  rolloutKnownHours: 1 / 60,
  /** Records in one console write call: 500 × up to ~10 KB = 5 MB of the 6 MB a Lambda takes. */
  writeBatchMax: 500,
  writeBatchBytesMax: 4 * MIB,
} as const;
