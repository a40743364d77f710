import { copyFileSync, cpSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { OutboxFile } from '../../../agent/outbox/outbox-file.ts';
import { pushOutbox } from '../../../agent/outbox/push-outbox.ts';
import { StoreRecords } from '../../../agent/outbox/store-records.ts';
import type { MainRecord } from '../../../core/ports/record-store.ts';
import { decideEdit } from '../../../core/records/decide-write.ts';
import { unpackLines } from '../../../codec/operation-lines.ts';
import { readUploadKey } from '../../../core/upload/upload-key.ts';
import { answerRing } from '../../../functions/apply/apply.ts';
import { Inbox } from '../../../functions/apply/inbox.ts';
import { ringWaiting } from '../../../functions/apply/ring-waiting.ts';
import { sweepHeld } from '../../../functions/apply/release-held.ts';
import { writeRecords } from '../../../functions/console-api/write-records.ts';
import { sweepUploads } from '../../../functions/apply/sweep-uploads.ts';
import { push } from '../../../functions/push/push.ts';
import { redeem } from '../../../functions/redeem/redeem.ts';
import { assert } from '../../../protocol/assert.ts';
import { collectionOf } from '../../../protocol/catalogue/catalogue.ts';
import { parseRecord } from '../../../protocol/catalogue/record.ts';
import { limits } from '../../../protocol/limits.ts';
import type { PushRequest, PutAddress } from '../../../protocol/messages/push.ts';
import type { RedeemResponse, RedemptionCollection } from '../../../protocol/messages/redeem.ts';
import { type Operation, type OutboxMark, operationSchema } from '../../../protocol/operation.ts';
import { SyncError, isSyncError } from '../../../protocol/sync-error.ts';
import { type Fault, Faults } from './faults.ts';
import { type Message, MessageQueue, WEEK_MS } from './message-queue.ts';
import { MemoryObjectStore } from './memory-object-store.ts';
import { MemoryRecordStore } from './memory-record-store.ts';
import { MemoryStoreRegistry } from './memory-store-registry.ts';
import { MemoryUploadStore } from './memory-upload-store.ts';
import type { Random } from './random.ts';
import { COUPONS, CUSTOMERS, OPENING, type Recorded, UploadChecks } from './upload-checks.ts';

/**
 * Uploads of a few stores: their real outbox files, the real push and apply over memory, and whatever may happen between.
 *
 * - a call of head office is refused, works without an answer, hangs, or goes on much later (a zombie)
 * - a request or its answer is lost on the way; two functions apply one replica at once
 * - a ring of the doorbell is lost, comes twice, out of order, days late, or again a week after it was dealt with
 * - a backlog rings for itself many times, and a function answers each ring at the same time
 * - a function takes few operations at a time, or has no time for all of them
 * - a backlog goes up as objects or in batches, as the run has it; an object is put late, twice or never announced; one that was
 *   stored is lost while its store still has it
 * - clocks of stores are off by up to a day; a disk is restored from a backup, its copy runs beside it, or it breaks
 * - a new machine takes the place of all that a store has, whatever of theirs is not applied yet or still on its way
 */
interface Till {
  readonly storeId: string;
  readonly path: string;
  readonly skewMs: number;
  replicaId: string;
  outbox: OutboxFile;
  backup: { readonly path: string; readonly replicaId: string } | null;
}

const ENROLLED = { publicKey: { kty: 'EC', crv: 'P-256', x: '', y: '' }, status: 'ACTIVE', enrolledAt: '' } as const;
const DAY_MS = 86_400_000;
/** A backlog of a till that two copies of it send again as replicas of their own takes more than twelve. */
const CALM_ROUNDS = 40;
/** Steps of one operation each: more than a function tries again. */
const BACKLOG = 14;
const CROWD = 4;
/** As small as it takes for a history of forty steps to have some. */
const LARGE = { operationsMin: 2, operationsMax: 4 };

export class UploadHistory {
  now = 1_790_000_000_000;
  readonly #folder: string;
  readonly #tills: Till[] = [];
  readonly #faults: Faults;
  readonly #records: MemoryRecordStore;
  readonly #uploads: MemoryUploadStore;
  readonly #objects: MemoryObjectStore;
  readonly #queue = new MessageQueue();
  /** Of a function that was started long ago. */
  readonly #inbox: Inbox;
  readonly #registry = new MemoryStoreRegistry();
  readonly #recorded: Recorded = new Map();
  readonly #lost: Recorded = new Map();
  readonly #checks: UploadChecks;
  #mayFail = true;
  #mayHang = false;
  #rate: number;
  #random: Random;
  #ids = 0;
  #violation: unknown;

  constructor(folder: string, { rate, random }: { readonly rate: number; readonly random: Random }) {
    this.#folder = folder;
    this.#rate = rate;
    this.#random = random;
    mkdirSync(folder, { recursive: true });
    this.#faults = new Faults(() => this.#fault());
    this.#records = new MemoryRecordStore(
      this.#faults,
      () => this.now,
      (id) => this.#registry.isTrusted(id),
    );
    this.#uploads = new MemoryUploadStore(this.#faults, this.#records, (id) => this.#registry.isTrusted(id));
    this.#objects = new MemoryObjectStore(this.#faults, () => this.now);
    this.#inbox = this.#newInbox();
    this.#checks = new UploadChecks({
      records: this.#records,
      uploads: this.#uploads,
      objects: this.#objects,
      recorded: this.#recorded,
      lost: this.#lost,
    });
    this.#edit('coupon_series', { series_id: 's', max_redeem: 2 });
    for (const coupon_id of COUPONS) this.#edit('coupon', { coupon_id, series_id: 's', code: coupon_id, validity: 'ACTIVE' });
    for (const user_id of CUSTOMERS) {
      this.#edit('loyalty_summary', { user_id, program_id: 'P', points: String(OPENING) });
      if (user_id !== '2') this.#edit('customer', { user_id, firstname: 'first' });
    }
    for (const [index, storeId] of ['S1', 'S2'].entries())
      this.#open(storeId, join(folder, `${storeId}.sqlite`), (index === 0 ? 1 : -1) * random.below(DAY_MS));
  }

  close(): void {
    for (const till of this.#tills) till.outbox.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async step(kind: string, random: Random): Promise<void> {
    this.#random = random;
    this.now += 1 + random.below(60_000);
    const till = random.of(this.#tills);
    const does = this.#steps(till, random)[kind];
    assert(does !== undefined, () => `no step ${kind}`);
    await does();
  }

  #steps(till: Till, random: Random): Readonly<Record<string, () => Promise<void> | void>> {
    return {
      record: () => this.#record(till),
      redeem: () => this.#redeem(till),
      push: () => this.#push(till),
      apply: () => this.#apply(),
      crowd: () => this.#crowd(till),
      release: () => {
        if (this.#faults.held > 0) this.#faults.release(random.below(this.#faults.held));
        return this.#settle();
      },
      kill: () => this.#faults.killHeld(),
      office: () => this.#office(),
      backup: () => this.#backUp(till),
      restore: () => this.#restore(till),
      copy: () => this.#copy(till),
      break: () => this.#break(till),
      replace: () => this.#replace(till),
      lose: () => this.#lose(),
      sweep: () => this.#sweep(),
    };
  }

  /** What a function may not do, seen after every step. */
  check(): void {
    if (this.#violation !== undefined) throw this.#violation;
    this.#checks.always();
  }

  /** Nothing fails any more, and everything that can be done is done. */
  async calm(): Promise<void> {
    this.#mayFail = false;
    this.#faults.killHeld();
    if (this.#rate === 0) await this.#answerAll();
    this.#edit('customer', { user_id: '2', firstname: 'late' });
    // Three tills with one past fork one after the other, and a function has time for some operations only.
    for (let round = 0, before = ''; round < CALM_ROUNDS && !(this.#isAllSent() && before === this.#state()); round += 1) {
      before = this.#state();
      for (const till of this.#tills) await this.#push(till);
      // Whatever rings were lost: the schedule finds what is stored.
      await this.#schedule();
      await this.#deliverAll();
    }
    this.now += 2 * DAY_MS;
    await sweepUploads(this.#applyDeps());
    await this.#comeLate();
  }

  /** Where no ring is lost and no function hangs, all that was rung for is applied, and the schedule has nothing to do. */
  async #answerAll(): Promise<void> {
    this.now += DAY_MS;
    await this.#deliverAll();
    this.#checks.allApplied();
  }

  /** Every ring that is still under way or was never deleted comes at last, and everybody rings once more: nothing is done again. */
  async #comeLate(): Promise<void> {
    for (const id of this.#uploads.replicas.keys()) this.#ring(id);
    this.now += WEEK_MS + DAY_MS;
    const before = this.#state();
    await this.#deliverAll();
    assert(this.#queue.size === 0, 'every message was delivered');
    assert(this.#state() === before, 'INV-11: a message that came late changed something');
  }

  #isAllSent(): boolean {
    return this.#tills.every(({ outbox }) => outbox.countOpen().withoutReceipt === 0);
  }

  #state(): string {
    return JSON.stringify([[...this.#records.records], [...this.#uploads.replicas], [...this.#uploads.exceptions]]);
  }

  async #deliverAll(): Promise<void> {
    for (let message = this.#queue.receive(this.now, this.#random); message !== null; message = this.#queue.receive(this.now, this.#random))
      await this.#handle(message);
  }

  checkEnd(): void {
    this.check();
    this.#checks.atRest(this.#tills);
  }

  #record(till: Till): void {
    const id = `${till.storeId}-${(this.#ids += 1)}`;
    const user_id = this.#random.of(CUSTOMERS);
    const time = new Date(this.now).toISOString().replace(/\.\d+Z/, 'Z');
    const at = { store_code: till.storeId, till_code: till.storeId };
    const what = this.#random.below(6);
    const write = (collection: string, record: object) => this.#write(till, collection, record);
    if (what === 0) write('customer', { user_id, lastname: `l${id}` });
    else if (what === 1)
      write('subscription', {
        user_id,
        org_unit_id: 'O',
        source: 'INSTORE',
        account_id: '-',
        channel: 'SMS',
        priority: 'BULK',
        status: this.#random.chance(0.5) ? 'OPTIN' : 'OPTOUT',
        evidence: 'signed',
      });
    else if (what === 2 || what === 3) write(...this.#redemption(till, what === 2 ? 'points_redemption' : 'coupon_redemption'));
    else
      write('bill', {
        bill_client_id: id,
        type: 'REGULAR',
        number: id,
        billing_time: time,
        billing_zone: 'UTC',
        amount: String(this.#ids),
        currency_code: 'GBP',
        user_id,
        ...at,
      });
  }

  #write(till: Till, collection: string, record: object): void {
    const records = new StoreRecords({
      replica: null,
      outbox: till.outbox,
      clock: { now: () => this.now + till.skewMs },
      ids: { next: () => this.#uuid() },
    });
    const before = till.outbox.mark().seq;
    // Ceilings are checked elsewhere; here it is about what becomes of what was redeemed.
    records.put(collection, record, { hasHappened: true });
    for (const operation of till.outbox.operationsAfter(before, 10)) this.#recorded.set(operation.opId, { operation, at: this.now });
  }

  #redemption(till: Till, collection: RedemptionCollection): [RedemptionCollection, Record<string, string>] {
    const id = `${till.storeId}-${(this.#ids += 1)}`;
    const common = {
      user_id: this.#random.of(CUSTOMERS),
      redemption_time: new Date(this.now).toISOString().replace(/\.\d+Z/, 'Z'),
      transaction_number: id,
      store_code: till.storeId,
      till_code: till.storeId,
    };
    return collection === 'points_redemption'
      ? [collection, { external_reference_number: id, program_id: 'P', points_redeemed: String(10 + this.#random.below(50)), ...common }]
      : [collection, { redemption_client_id: id, coupon_id: this.#random.of(COUPONS), ...common }];
  }

  /** A till that asks head office, asks again when it hears nothing, and records it offline when it still hears nothing. */
  async #redeem(till: Till): Promise<void> {
    const [collection, fields] = this.#redemption(till, this.#random.chance(0.5) ? 'points_redemption' : 'coupon_redemption');
    const deps = {
      records: this.#records,
      clock: { now: () => this.now },
      ids: { next: () => this.#uuid() },
      settings: { scopes: {}, withheld: new Set<string>() },
    };
    const caller = await this.#registry.readReplica(till.replicaId);
    assert(caller !== null, 'a till is of a store');
    for (let tries = 0; tries < 2; tries += 1) {
      const answer: { value?: RedeemResponse } = {};
      await this.#invoke(async () => void (answer.value = await redeem(deps, caller, { protocol: 1, collection, fields })));
      if (answer.value === undefined || this.#chance()) continue;
      this.#checks.answered(answer.value.outcome, { collection, key: answer.value.key });
      return;
    }
    this.#write(till, collection, fields);
  }

  /** One run of an agent; what goes wrong on the way is met by the next. */
  async #push(till: Till): Promise<void> {
    const cloud = {
      push: (request: Omit<PushRequest, 'protocol' | 'agentVersion'>) =>
        this.#network(() => push(this.#pushDeps(), till.replicaId, { protocol: 1, agentVersion: 'sim', ...structuredClone(request) })),
      putObject: ({ url }: PutAddress, bytes: Uint8Array) => this.#network(() => this.#objects.put(url.replace('memory:', ''), bytes)),
    };
    const large = this.#random.chance(0.6) ? { large: LARGE } : {};
    try {
      await pushOutbox({ cloud, outbox: till.outbox, signal: new AbortController().signal, isExpected: this.#isExpected(till), ...large });
    } catch (error) {
      if (isSyncError(error, 'REPLICA_FORKED')) this.#fork(till);
      else if (!isSyncError(error, 'UNAVAILABLE') && !isSyncError(error, 'CONNECTIVITY') && !isSyncError(error, 'CONFLICT')) throw error;
    }
  }

  /** As the plan before it said. */
  #isExpected({ replicaId, outbox }: Till): boolean {
    const head = this.#uploads.replicas.get(replicaId)?.head;
    if (head === undefined) return false;
    const { stored, appliedThrough, revisions } = head;
    return outbox.isBehind({ storedThrough: stored.seq, appliedThrough, revisions });
  }

  async #network<T>(call: () => Promise<T>): Promise<T> {
    if (this.#chance()) throw new SyncError('CONNECTIVITY', 'the request was lost by the simulation');
    const answer: { value?: { of: T }; error?: unknown } = {};
    await this.#invoke(async () => {
      try {
        answer.value = { of: await call() };
      } catch (error) {
        answer.error = error;
      }
    });
    if (answer.error !== undefined) throw answer.error;
    if (answer.value === undefined || this.#chance()) throw new SyncError('CONNECTIVITY', 'the answer was lost by the simulation');
    return structuredClone(answer.value.of);
  }

  #fork(till: Till): void {
    till.outbox.close();
    till.replicaId = `${till.storeId}:${this.#uuid()}`;
    this.#enrol(till.storeId, till.replicaId);
    till.outbox = OutboxFile.open(till.path, till.replicaId);
  }

  /** A delivery, sometimes to two functions at once, or two deliveries. */
  async #apply(): Promise<void> {
    if (this.#random.chance(0.06)) return this.#crowd(this.#random.of(this.#tills));
    const message = this.#queue.receive(this.now, this.#random);
    if (message === null) return;
    const run = (one: Message) => this.#invoke(() => this.#handle(one));
    if (this.#random.chance(0.3)) void run(this.#queue.receive(this.now, this.#random) ?? message);
    await run(message);
  }

  /** A backlog, each request of which rings, and each ring finds a function. */
  async #crowd(till: Till): Promise<void> {
    for (let count = 0; count < BACKLOG; count += 1) this.#record(till);
    await this.#push(till);
    for (let count = 0; count < CROWD; count += 1) this.#ring(till.replicaId);
    const messages = Array.from({ length: CROWD }, () => this.#queue.receive(this.now, this.#random));
    await Promise.all(messages.flatMap((message) => (message === null ? [] : [this.#invoke(() => this.#handle(message))])));
  }

  /** As the function does it: what fails or was killed is not deleted and comes again. */
  async #handle(message: Message): Promise<void> {
    try {
      await answerRing({ ...this.#applyDeps(), doorbell: this.#doorbell() }, message.body);
    } catch (error) {
      // The queue gives up what fails a few times.
      if (this.#rate === 0) this.#violation ??= error;
      throw error;
    }
    this.#queue.delete(message, this.now, this.#luck());
  }

  /** By the clock, after a while. */
  async #sweep(): Promise<void> {
    this.now += this.#random.of([0, 0, DAY_MS, WEEK_MS + DAY_MS]);
    await this.#invoke(() => this.#schedule());
  }

  /** What runs by the clock. */
  async #schedule(): Promise<void> {
    const deps = this.#applyDeps();
    await ringWaiting({ ...deps, doorbell: this.#doorbell() });
    await sweepUploads(deps);
    await sweepHeld(deps);
  }

  #ring(replicaId: string): void {
    this.#queue.send(replicaId, this.now, this.#luck());
  }

  #doorbell() {
    return { ring: (replicaId: string) => Promise.resolve(this.#ring(replicaId)) };
  }

  #luck() {
    return { random: this.#random, chance: () => this.#chance() };
  }

  /** A head-office edit, between what stores send. */
  async #office(): Promise<void> {
    if (this.#random.chance(0.4)) await this.#earn();
    else if (this.#random.chance(0.5)) this.#edit('customer', { user_id: this.#random.of(CUSTOMERS), firstname: `f${this.now}` });
    else this.#edit('bill', null, [...this.#records.records.values()].find(({ collection }) => collection === 'bill')?.key ?? '');
  }

  /** Points that head office's own rules give; the caller comes again with the same entry when it heard nothing. */
  async #earn(): Promise<void> {
    const entry = {
      event_log_id: `e${this.#random.below(40)}`,
      line_no: 1,
      user_id: this.#random.of(CUSTOMERS),
      program_id: 'P',
      entry_type: 'CREDIT',
      points: String(1 + this.#random.below(9)),
      created_at: new Date(this.now).toISOString(),
    };
    const deps = { records: this.#records, clock: { now: () => this.now }, scopes: {} };
    const write = () => writeRecords(deps, { collection: 'points_ledger', puts: [entry], deletes: [] });
    const run = () => this.#invoke(async () => void (await write()));
    if (this.#random.chance(0.3)) void run();
    await run();
  }

  #backUp(till: Till): void {
    const path = join(this.#folder, `backup-${(this.#ids += 1)}.sqlite`);
    this.#copyFile(till, path);
    till.backup = { path, replicaId: till.replicaId };
  }

  /** What was recorded since and never reached head office is gone with the disk. */
  async #restore(till: Till): Promise<void> {
    if (till.backup === null) return;
    const { path, replicaId } = till.backup;
    const before = idsOf(till);
    till.outbox.close();
    cpSync(path, till.path);
    till.replicaId = replicaId;
    till.outbox = OutboxFile.open(till.path, replicaId);
    await this.#goneWithDisk(before);
  }

  /** A machine that breaks for good: what it has sent is all that is left of it. */
  async #break(till: Till): Promise<void> {
    if (this.#tills.length > 1) await this.#remove(till);
  }

  /** Somebody enrols with a code that replaces: the door refuses every other machine of the store from now on. */
  async #replace({ storeId, skewMs }: Till): Promise<void> {
    const uuid = this.#uuid();
    await this.#registry.putEnrolmentCode({ sha256: uuid, storeId, issuedAt: this.now, expiresAt: this.now + 1, replaces: true });
    const enrolled = await this.#registry.enrol({ sha256: uuid, now: this.now }, { ...ENROLLED, uuid });
    assert(enrolled !== null, 'the code is good');
    for (const till of this.#tills.filter((one) => one.storeId === storeId)) await this.#remove(till);
    this.#add({ storeId, skewMs, path: join(this.#folder, `${uuid}.sqlite`), replicaId: enrolled.replica.replicaId });
  }

  async #remove(till: Till): Promise<void> {
    const before = idsOf(till);
    till.outbox.close();
    this.#tills.splice(this.#tills.indexOf(till), 1);
    await this.#goneWithDisk(before);
  }

  async #goneWithDisk(before: ReadonlySet<string>): Promise<void> {
    const stored = await this.#stored();
    const left = new Set(this.#tills.flatMap((one) => [...idsOf(one)]));
    for (const opId of before) {
      const gone = this.#recorded.get(opId);
      if (gone === undefined || left.has(opId) || stored.has(opId)) continue;
      this.#recorded.delete(opId);
      this.#lost.set(opId, gone);
    }
  }

  /** Operations that head office has: up to the first object that is lost, because nothing behind it is ever applied without it. */
  async #stored(): Promise<Set<string>> {
    const stored = new Set<string>();
    for (const { inbox, receipts } of this.#uploads.replicas.values()) {
      for (const { opId } of receipts) stored.add(opId);
      const applied = receipts.length;
      for (const entry of inbox) {
        if (entry.kind === 'object' && entry.through.seq <= applied) continue;
        const operations = entry.kind === 'object' ? await this.#operationsOf(entry.key) : entry.operations;
        if (operations === null) break;
        for (const { opId } of operations) stored.add(opId);
      }
    }
    return stored;
  }

  async #operationsOf(key: string): Promise<Operation[] | null> {
    const bytes = this.#objects.objects.get(key);
    if (bytes === undefined) return null;
    const lines = await unpackLines(bytes, limits.uploadRawBytesMax);
    return lines.map((line) => operationSchema.parse(JSON.parse(line)));
  }

  /**
   * An object that is stored and not applied, while a store still has what it holds and has no other past than head office: who forks
   * goes on under another name and gives nothing for the old one, so what others of that name sent behind the object is gone with it.
   */
  async #lose(): Promise<void> {
    for (const key of this.#objects.objects.keys()) {
      const operations = (await this.#operationsOf(key)) ?? [];
      const { replicaId } = readUploadKey(key) as { replicaId: string };
      const stored = this.#uploads.replicas.get(replicaId)?.head.stored;
      const till = this.#tills.find((one) => one.replicaId === replicaId && this.#isSamePast(one, stored));
      const held = till === undefined ? new Set<string>() : idsOf(till);
      if (operations.every(({ opId }) => held.has(opId))) {
        this.#objects.objects.delete(key);
        return;
      }
    }
  }

  #isSamePast({ outbox }: Till, stored: OutboxMark | undefined): boolean {
    return stored === undefined || outbox.markAt(stored.seq)?.chain === stored.chain;
  }

  /** A cloned disk in another till of the store. */
  #copy(till: Till): void {
    if (this.#tills.length >= 3) return;
    const path = join(this.#folder, `copy-${(this.#ids += 1)}.sqlite`);
    this.#copyFile(till, path);
    this.#tills.push({ ...till, path, backup: null, outbox: OutboxFile.open(path, till.replicaId) });
  }

  #copyFile(till: Till, path: string): void {
    till.outbox.close();
    cpSync(till.path, path);
    till.outbox = OutboxFile.open(till.path, till.replicaId);
  }

  #open(storeId: string, path: string, skewMs: number): void {
    const replicaId = `${storeId}:first`;
    this.#enrol(storeId, replicaId);
    this.#add({ storeId, skewMs, path, replicaId });
  }

  #add(till: Pick<Till, 'storeId' | 'skewMs' | 'path' | 'replicaId'>): void {
    copyFileSync(this.#emptyOutbox(), till.path);
    this.#tills.push({ ...till, outbox: OutboxFile.open(till.path, till.replicaId), backup: null });
  }

  /** Of a till that recorded nothing yet, made once for all histories by the agent's own code. */
  #emptyOutbox(): string {
    const path = join(dirname(this.#folder), 'empty.sqlite');
    if (!existsSync(path)) OutboxFile.open(path, 'nobody').close();
    return path;
  }

  #enrol(storeId: string, replicaId: string): void {
    this.#registry.stores.set(storeId, { storeId, name: '', edition: 'core', zone: null, timeZone: 'UTC', currency: 'GBP', createdAt: '' });
    this.#registry.replicas.set(replicaId, {
      ...ENROLLED,
      replicaId,
      storeId,
    });
  }

  #edit(collection: string, input: Record<string, unknown> | null, key = ''): void {
    const parsed = input === null ? null : parseRecord(collectionOf(collection), input);
    if (parsed?.ok === false) throw new Error(JSON.stringify(parsed.issues));
    const id = parsed?.key ?? key;
    const current: MainRecord | null = this.#records.records.get(`${collection}/${id}`) ?? null;
    if (input === null && current === null) return;
    const edit = decideEdit({
      collection: collectionOf(collection),
      key: id,
      fields: parsed === null ? (current?.fields ?? null) : { ...current?.fields, ...parsed.fields },
      scopes: ['org'],
      owner: undefined,
      current,
      now: this.now,
    });
    if (edit.outcome === 'write') this.#records.writeAtOnce([edit.write]);
  }

  #pushDeps() {
    return { uploads: this.#uploads, objects: this.#objects, clock: { now: () => this.now }, doorbell: this.#doorbell() };
  }

  /** Its time is over after a step or two, or never. */
  #until(): () => number {
    let steps = this.#mayFail && this.#random.chance(0.4) ? 1 + this.#random.below(2) : Number.POSITIVE_INFINITY;
    return () => (steps-- > 0 ? Number.POSITIVE_INFINITY : 0);
  }

  #newInbox(): Inbox {
    return new Inbox({ uploads: this.#uploads, objects: this.#objects, clock: { now: () => this.now } });
  }

  #applyDeps() {
    return {
      uploads: this.#uploads,
      objects: this.#objects,
      inbox: this.#random.chance(0.5) ? this.#inbox : this.#newInbox(),
      records: this.#records,
      registry: this.#registry,
      clock: { now: () => this.now },
      settings: { scopes: {}, withheld: new Set<string>() },
      sleep: () => Promise.resolve(),
      random: () => 0.5,
      ...(this.#random.chance(0.5) ? { operationsMax: 1 + this.#random.below(3) } : {}),
      until: this.#until(),
    };
  }

  /** Runs until it is over or hangs. A function may fail by the faults it was given, never by an assertion of its own. */
  async #invoke(run: () => Promise<void>): Promise<void> {
    this.#mayHang = true;
    void run().catch((error: unknown) => {
      if (!isSyncError(error, 'UNAVAILABLE') && !isSyncError(error, 'CONFLICT')) this.#violation ??= error;
    });
    await this.#settle();
  }

  async #settle(): Promise<void> {
    this.#mayHang = true;
    await new Promise((resolve) => setImmediate(resolve));
    this.#mayHang = false;
  }

  #fault(): Fault {
    if (!this.#chance()) return 'none';
    return this.#random.of(this.#mayHang ? (['refuse', 'lose', 'hold', 'stall'] as const) : (['refuse', 'lose'] as const));
  }

  #chance(): boolean {
    return this.#mayFail && this.#random.chance(this.#rate);
  }

  #uuid(): string {
    this.#ids += 1;
    return `00000000-0000-7000-8000-${String(this.#ids).padStart(12, '0')}`;
  }
}

function idsOf({ outbox }: Till): Set<string> {
  return new Set(outbox.list({ limit: 10_000 }).map(({ operation }) => operation.opId));
}
