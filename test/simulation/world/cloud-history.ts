import { strict as assert } from 'node:assert';
import type { StreamRecord } from '../../../core/feed/route-change.ts';
import { keyHash } from '../../../core/key-hash.ts';
import type { CompactionWork } from '../../../core/ports/compaction-requests.ts';
import type { MainRecord } from '../../../core/ports/record-store.ts';
import { Fold } from '../../../core/snapshot/fold.ts';
import { rowSections } from '../../../core/snapshot/compact-collection.ts';
import { PAGE_LEVEL, pack, unpack } from '../../../codec/pack.ts';
import { limits } from '../../../protocol/limits.ts';
import { collectionOf } from '../../../protocol/catalogue/catalogue.ts';
import type { FeedName } from '../../../protocol/feed.ts';
import { decodeSections, encodeSections } from '../../../protocol/sections.ts';
import { isSyncError } from '../../../protocol/sync-error.ts';
import { edit } from './edits.ts';
import { Faults, type Fault } from './faults.ts';
import { FeedChecks, assertSame } from './feed-checks.ts';
import { HeadOffice } from './head-office.ts';
import { Random } from './random.ts';

/**
 * Head office at work, step by step. Permitted faults, all of which AWS allows:
 * - every call of a port fails, works and loses its answer, or hangs (`faults.ts`)
 * - the stream has two shards; within a shard order is kept, between them there is none
 * - a batch is delivered again wholly or in part, cut anywhere, also to two consumers at once; a consumer that hangs has
 *   timed out: its batch is delivered again, and it may go on later as a zombie, or never (killed)
 * - two compactions, or a compaction and a seal, work on one feed at once; doorbells are lost and doubled
 * - a feed's history is restarted (a new generation), with compaction of it stopped meanwhile
 * - weeks pass, after what was under way is over and the stream is empty: the stream forgets after a day, and the bucket may throw old
 *   segments away once the schedule has made its snapshots
 */
const SIZES = { rowsTarget: 4, rowsMax: 6 };
const SHARDS = 2;
/** A function that hangs for longer is killed, as its time limit does. Pages live longer than this. */
const FUNCTION_LIFE_MS = 20_000;
const DAY_MS = 86_400_000;

interface Shard {
  /** Acknowledged: never delivered again but by chance. */
  taken: number;
  /** The stream has forgotten what is before it. */
  floor: number;
  /** INV-02 was checked up to here. */
  checked: number;
}

export class CloudHistory {
  readonly office: HeadOffice;
  readonly faults: Faults;
  readonly checks: FeedChecks;
  /** Of the step that runs now. */
  random = new Random(0);
  readonly #faultRate: number;
  #mayHang = false;
  #mayFail = true;
  #hangingSince: number | null = null;
  #purged = false;
  #violation: unknown = null;
  readonly #rung: { feed: FeedName; work: CompactionWork }[] = [];
  readonly #shards: readonly Shard[] = Array.from({ length: SHARDS }, () => ({ taken: 0, floor: 0, checked: 0 }));

  constructor(faultRate: number) {
    this.#faultRate = faultRate;
    this.faults = new Faults(() => this.#nextFault());
    this.office = new HeadOffice(this.faults, SIZES);
    this.office.scopes = { 'Voucher Series': 'zone' };
    this.checks = new FeedChecks(this.office);
  }

  /** A call made for a store hangs only as long as the store waits: it fails or works. */
  #nextFault(): Fault {
    if (!this.#mayFail || !this.random.chance(this.#faultRate)) return 'none';
    return this.random.of(this.#mayHang ? ['refuse', 'lose', 'hold', 'stall'] : ['refuse', 'lose']);
  }

  async step(kind: string, random: Random): Promise<void> {
    this.random = random;
    switch (kind) {
      case 'edit':
        return edit(this.office, random);
      case 'deliver':
        return this.#deliver();
      case 'compact':
        return this.#compact();
      case 'seal':
        return this.#seal();
      case 'release':
        return this.#release();
      case 'wait':
        return this.#wait();
      case 'restart':
        return this.#restart();
      case 'leap':
        return this.#leap();
      default:
        throw new TypeError(`no step ${kind}`);
    }
  }

  /** After every step. */
  async check(): Promise<void> {
    if (this.#violation !== null) throw this.#violation;
    await this.checks.check();
    for (const [number, shard] of this.#shards.entries()) this.#checkTaken(this.#streamOf(number), shard);
  }

  /** A store's plan asks for a snapshot. */
  ring(feeds: readonly FeedName[], work: CompactionWork): void {
    for (const feed of feeds) this.#rung.push({ feed, work });
  }

  /** No faults any more: what hangs goes on, everything is delivered, and what stores ask for is made at once. */
  async calm(): Promise<void> {
    this.#mayFail = false;
    while (this.faults.held > 0) await this.#release();
    await this.#drain();
    await this.check();
  }

  /** Faults stop for as long as this takes. */
  async undisturbed(run: () => Promise<void>): Promise<void> {
    this.#mayFail = false;
    await run();
    this.#mayFail = true;
  }

  async answerRung(): Promise<void> {
    for (const { feed } of this.#rung.splice(0)) await this.office.compact(feed);
  }

  /** After `calm`: INV-02, and snapshot + pages = rebuild for every feed. */
  async checkEnd(): Promise<void> {
    await this.check();
    this.checks.checkFaithful();
    for (const feed of this.office.feeds.feeds.keys()) {
      await this.office.compact(feed);
      await this.check();
      if (!this.#purged) await this.#checkCanonical(feed);
    }
  }

  /** Starts what a function does and lets it go on until it is over or hangs. `undefined`: it hangs, or it failed. */
  async invoke<T>(run: () => Promise<T>): Promise<T | undefined> {
    const outcome: { value?: T } = {};
    this.#mayHang = true;
    void this.#keep(run, outcome);
    await this.#settle();
    return outcome.value;
  }

  async #keep<T>(run: () => Promise<T>, outcome: { value?: T }): Promise<void> {
    try {
      outcome.value = await run();
    } catch (error) {
      this.#judge(error);
    }
  }

  /** What is not held goes on by promises alone, so all of it is done before the next turn of the event loop. */
  async #settle(): Promise<void> {
    this.#mayHang = true;
    await new Promise((resolve) => setImmediate(resolve));
    this.#mayHang = false;
    if (this.faults.held === 0) this.#hangingSince = null;
    else this.#hangingSince ??= this.office.now;
  }

  /** A function may fail by the faults it was given, never by an assertion of its own. */
  #judge(error: unknown): void {
    if (!isSyncError(error, 'UNAVAILABLE') && !isSyncError(error, 'CONFLICT')) this.#violation ??= error;
  }

  #streamOf(number: number): StreamRecord[] {
    return this.office.records.stream.filter(({ after }) => keyHash((after as MainRecord).key) % SHARDS === number);
  }

  async #deliver(): Promise<void> {
    this.#endOld();
    const number = this.random.below(SHARDS);
    const shard = this.#shards[number] as Shard;
    const stream = this.#streamOf(number);
    const back = this.random.chance(0.4) ? this.random.below(12) : 0;
    const from = Math.max(shard.floor, shard.taken - back);
    const batch = stream.slice(from, from + 1 + this.random.below(8));
    if (batch.length === 0) return;
    const other = stream.slice(shard.taken, shard.taken + 1 + this.random.below(8));
    const racing = this.random.chance(0.15) ? this.invoke(() => this.office.consume(other)) : null;
    const failedFrom = await this.invoke(() => this.office.consume(batch));
    await racing;
    if (failedFrom === undefined) return;
    const next = failedFrom === null ? from + batch.length : stream.findIndex(({ sequenceNumber }) => sequenceNumber === failedFrom);
    shard.taken = Math.max(shard.taken, next);
  }

  async #compact(): Promise<void> {
    this.#endOld();
    const rung = this.random.chance(0.5) ? this.#rung.shift() : undefined;
    const feed = rung?.feed ?? this.#anyFeed();
    if (feed === undefined) return;
    const racing = this.random.chance(0.2) ? this.invoke(() => this.office.compact(feed)) : null;
    await this.invoke(() => this.office.compact(feed));
    await racing;
  }

  async #seal(): Promise<void> {
    this.#endOld();
    const feed = this.#anyFeed();
    if (feed === undefined) return;
    const racing = this.random.chance(0.2) ? this.invoke(() => this.office.seal(feed)) : null;
    await this.invoke(() => this.office.seal(feed));
    await racing;
  }

  #anyFeed(): FeedName | undefined {
    return this.random.of([...this.office.feeds.feeds.keys()]);
  }

  async #release(): Promise<void> {
    if (this.faults.held === 0) return;
    this.faults.release(this.random.below(this.faults.held));
    await this.#settle();
  }

  async #wait(): Promise<void> {
    this.office.now += this.random.below(90_000);
    this.#endOld();
  }

  #endOld(): void {
    if (this.#hangingSince !== null && this.office.now - this.#hangingSince > FUNCTION_LIFE_MS) this.#killHanging();
  }

  #killHanging(): void {
    this.faults.killHeld();
    this.#hangingSince = null;
  }

  /** The new generation's first page is the fold of the old one, deletions too, so that a late repeat finds them. */
  async #restart(): Promise<void> {
    const feed = this.#anyFeed();
    if (feed === undefined) return;
    this.#killHanging();
    const fold = new Fold();
    const before = this.office.feeds.feeds.get(feed);
    for (const { body } of before?.pages ?? []) fold.add(decodeSections(await unpack(body, { rawBytesMax: 1 << 26 })));
    const sections = fold.collections().flatMap((collection) => rowSections(collection, fold.rows(collection)));
    const body = await pack(encodeSections(sections), PAGE_LEVEL);
    const asOf = before?.head.asOf ?? new Date(this.office.now).toISOString();
    this.office.feeds.restart(feed, this.office.ids.next(), { position: 1, body, asOf });
  }

  async #leap(): Promise<void> {
    this.#killHanging();
    await this.undisturbed(() => this.#drain());
    for (const shard of this.#shards) shard.floor = shard.taken;
    // The bucket may take its time; the schedule never lets a change get as old as that.
    const isThrownAway = this.random.chance(0.25);
    if (isThrownAway) await this.undisturbed(() => this.#compactAll());
    this.office.now += (20 + this.random.below(100)) * DAY_MS;
    if (isThrownAway) this.office.objects.expire('segments/', this.office.now - limits.segmentLifeMs);
    this.#purged = true;
  }

  async #compactAll(): Promise<void> {
    for (const feed of this.office.feeds.feeds.keys()) await this.office.compact(feed);
    await this.check();
  }

  async #drain(): Promise<void> {
    for (const [number, shard] of this.#shards.entries()) {
      const stream = this.#streamOf(number);
      for (; shard.taken < stream.length; shard.taken = Math.min(stream.length, shard.taken + 10)) {
        const failedFrom = await this.office.consume(stream.slice(shard.taken, shard.taken + 10));
        assert.equal(failedFrom, null, 'INV-02: a batch failed without a fault');
      }
    }
  }

  /** INV-02: what was acknowledged is in pages of every feed it concerns. INV-07: our writers only raise a `rev`. */
  #checkTaken(stream: readonly StreamRecord[], shard: Shard): void {
    for (const { before, after } of stream.slice(shard.checked, shard.taken)) {
      const { collection, key, rev, scopes } = after as MainRecord;
      const old = before as MainRecord | null;
      assert(rev > (old?.rev ?? 0), `INV-07: ${collection}/${key} did not get a higher rev`);
      for (const scope of new Set([...scopes, ...(old?.scopes ?? [])])) {
        const feed: FeedName = `${collectionOf(collection).component}@${scope}`;
        const newest = this.checks.current(feed)?.newest(`${collection}/${key}`);
        assert((newest?.rev ?? 0) >= rev, `INV-02: ${collection}/${key} was acknowledged and is not in ${feed}`);
      }
    }
    shard.checked = Math.max(shard.checked, shard.taken);
  }

  /** The same state always has the same chunks, however it came about. */
  async #checkCanonical(feed: FeedName): Promise<void> {
    const source = this.office.feeds.feeds.get(feed);
    if (source === undefined) return;
    const other = new HeadOffice(Faults.none(), SIZES);
    other.feeds.feeds.set(feed, { ...source, snapshot: null, snapshots: new Map(), segments: null, gone: new Set() });
    other.now = this.office.now;
    await other.compact(feed);
    const [rebuilt, stepwise] = [await other.manifest(feed), await this.office.manifest(feed)];
    assert.deepEqual(rebuilt.collections, stepwise.collections, `INV-03: snapshot and pages of ${feed} are not its rebuild`);
    const state = this.checks.current(feed)?.at(rebuilt.position) ?? new Map<string, string>();
    assertSame(await other.snapshotState(rebuilt), state, `INV-03: the rebuild of ${feed}`);
  }
}
