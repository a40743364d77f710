import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import type {
  ApplyStep,
  InboxEntry,
  LostValue,
  ObjectEntry,
  Revision,
  UploadException,
  UploadHead,
  UploadStore,
} from '../../core/ports/upload-store.ts';
import { CHAIN_START, type Operation, type OutboxMark, type Receipt, operationSchema, receiptSchema } from '../../protocol/operation.ts';
import { limits } from '../../protocol/limits.ts';
import { isRefusedForGood } from './aws-errors.ts';
import { putRecord } from './dynamo-record-store.ts';
import { batchItem, endOf, inboxEntry, objectItem } from './inbox-item.ts';
import { lostItems, lostOf, lostValues } from './lost-item.ts';
import { whileTrusted } from './store-item.ts';
import { type Action, type Item, UploadTable } from './upload-table.ts';

/**
 * Uploads in DynamoDB, in a table of their own.
 *
 * `pk` = `replica#<id>`: `head`, `in#<seq>` (a batch as it came, or the name of an object, by its first `seq`), `receipt#<seq>` (of one transaction,
 * by its first `seq`), `revised#<number>`. `pk` = `exceptions`: one item an exception, `sk` = operation id.
 * `pk` = `held#<collection>/<key>`: what waits for a record. `pk` = `lost#<collection>/<key>`: values that lost a merge.
 */
const headSchema = z.object({
  seq: z.int(),
  chain: z.string(),
  appliedThrough: z.int(),
  revisions: z.int(),
  wantedThrough: z.int().nullable().default(null),
});
const exceptionSchema = z.object({
  opId: z.string(),
  storeId: z.string(),
  replicaId: z.string(),
  copies: z.array(z.string()).default([]),
  operation: operationSchema,
  receipt: receiptSchema,
  waitsFor: z.string().nullable(),
  against: z.array(z.string()),
  at: z.string(),
  version: z.int(),
});
const EXCEPTIONS = 'exceptions';
/**
 * Items a query reads at once. Without it DynamoDB reads, and bills, a megabyte to answer with one batch of 40 KB. Inbox: what
 * one transaction still lacks, as a rule one batch; receipts: 500 of them are six items, or many small ones.
 */
const INBOX_ITEMS = 4;
const RECEIPT_ITEMS = 12;

export interface UploadTables {
  readonly uploads: string;
  readonly records: string;
  readonly stores: string;
}

export class DynamoUploadStore implements UploadStore {
  readonly #table: UploadTable;
  readonly #tables: UploadTables;

  constructor(client: DynamoDBDocumentClient, tables: UploadTables) {
    this.#table = new UploadTable(client, tables.uploads);
    this.#tables = tables;
  }

  async readHead(replicaId: string): Promise<UploadHead> {
    const item = await this.#table.get(replicaKey(replicaId), 'head');
    if (item === null) return { replicaId, stored: { seq: 0, chain: CHAIN_START }, appliedThrough: 0, revisions: 0, wantedThrough: null };
    const { seq, chain, appliedThrough, revisions, wantedThrough } = headSchema.parse(item);
    // Whoever still had the object may have applied it after all.
    const isWanted = wantedThrough !== null && wantedThrough > appliedThrough;
    return { replicaId, stored: { seq, chain }, appliedThrough, revisions, wantedThrough: isWanted ? wantedThrough : null };
  }

  store(head: UploadHead, operations: readonly Operation[], receivedAt: number): Promise<'stored' | 'conflict'> {
    const [first, last] = [operations[0], operations.at(-1)];
    if (first === undefined || last === undefined) return Promise.resolve('stored');
    return this.#append(head, { first: first.seq, through: last, content: batchItem(operations, receivedAt) });
  }

  storeObject(head: UploadHead, entry: ObjectEntry): Promise<'stored' | 'conflict'> {
    return this.#append(head, { first: entry.before.seq + 1, through: entry.through, content: objectItem(entry) });
  }

  #append(
    { replicaId, stored }: UploadHead,
    { first, through, content }: { readonly first: number; readonly through: OutboxMark; readonly content: Item },
  ): Promise<'stored' | 'conflict'> {
    const head = {
      TableName: this.#table.name,
      Key: { pk: replicaKey(replicaId), sk: 'head' },
      UpdateExpression:
        'SET #seq = :seq, #chain = :chain, appliedThrough = if_not_exists(appliedThrough, :none), revisions = if_not_exists(revisions, :none)',
      ConditionExpression: stored.seq === 0 ? 'attribute_not_exists(pk) OR #seq = :before' : '#seq = :before',
      ExpressionAttributeNames: { '#seq': 'seq', '#chain': 'chain' },
      ExpressionAttributeValues: { ':seq': through.seq, ':chain': through.chain, ':before': stored.seq, ':none': 0 },
    };
    const item = { pk: replicaKey(replicaId), sk: `in#${digits(first)}`, ...content };
    return this.#table.write('store operations', [{ Update: head }, { Put: this.#table.newItem(item) }], 'stored');
  }

  async readInbox(replicaId: string, after: number, max: number): Promise<InboxEntry[]> {
    const pk = replicaKey(replicaId);
    const entries: InboxEntry[] = [];
    // An entry stands under its first `seq`: the one that holds `after + 1` is the last one that begins there or before.
    const holding = { pk, from: 'in#', to: `in#${digits(after + 1)}`, newestFirst: true, limit: 1 };
    for await (const item of this.#table.query(holding)) {
      const entry = inboxEntry(item);
      if (endOf(entry) > after) entries.push(entry);
      break;
    }
    const end = entries[0] === undefined ? null : endOf(entries[0]);
    if (end === null || end - after >= max) return entries;
    for await (const item of this.#table.query({ pk, from: `in#${digits(end + 1)}`, to: 'in#~', limit: INBOX_ITEMS })) {
      const entry = inboxEntry(item);
      entries.push(entry);
      if (endOf(entry) - after >= max) break;
    }
    return entries;
  }

  async forgetInbox(replicaId: string, through: number): Promise<void> {
    const pk = replicaKey(replicaId);
    // They go one by one and in order: an end between them leaves what the next call finds.
    for await (const item of this.#table.query({ pk, from: 'in#', to: `in#${digits(through)}`, limit: INBOX_ITEMS }))
      if (endOf(inboxEntry(item)) <= through) await this.#table.delete(pk, String(item['sk']));
  }

  noteLostObject({ replicaId, appliedThrough }: UploadHead, { through }: ObjectEntry): Promise<'noted' | 'conflict'> {
    const head = {
      TableName: this.#table.name,
      Key: { pk: replicaKey(replicaId), sk: 'head' },
      UpdateExpression: 'SET wantedThrough = :through',
      ConditionExpression: 'appliedThrough = :applied',
      ExpressionAttributeValues: { ':through': through.seq, ':applied': appliedThrough },
    };
    return this.#table.write('note a lost object', [{ Update: head }], 'noted');
  }

  replaceObject({ replicaId, appliedThrough }: UploadHead, entry: ObjectEntry): Promise<'stored' | 'conflict'> {
    const head = {
      TableName: this.#table.name,
      Key: { pk: replicaKey(replicaId), sk: 'head' },
      UpdateExpression: 'REMOVE wantedThrough',
      ConditionExpression: 'wantedThrough = :through AND appliedThrough = :applied',
      ExpressionAttributeValues: { ':through': entry.through.seq, ':applied': appliedThrough },
    };
    const Item = { pk: replicaKey(replicaId), sk: `in#${digits(entry.before.seq + 1)}`, ...objectItem(entry) };
    const put = { TableName: this.#table.name, Item, ConditionExpression: 'attribute_exists(pk)' };
    return this.#table.write('replace an object', [{ Update: head }, { Put: put }], 'stored');
  }

  async apply({ head, appliedThrough, writes, receipts, exceptions, lost }: ApplyStep): Promise<'applied' | 'conflict' | 'refused'> {
    const { replicaId } = head;
    const watermark = {
      TableName: this.#table.name,
      Key: { pk: replicaKey(replicaId), sk: 'head' },
      UpdateExpression: 'SET appliedThrough = :to',
      ConditionExpression: 'appliedThrough = :from',
      ExpressionAttributeValues: { ':to': appliedThrough, ':from': head.appliedThrough },
    };
    const answers = { pk: replicaKey(replicaId), sk: `receipt#${digits(head.appliedThrough + 1)}`, receipts: JSON.stringify(receipts) };
    const actions: Action[] = [
      { Update: watermark },
      { Put: this.#table.newItem(answers) },
      { ConditionCheck: whileTrusted(this.#tables.stores, replicaId) },
      ...writes.map((write) => ({ Put: putRecord(this.#tables.records, write) })),
      ...exceptions.flatMap((exception) => this.#exception(exception, exception.version - 1)),
      ...this.#lost(lost),
    ];
    try {
      return await this.#table.write('apply operations', actions, 'applied');
    } catch (error) {
      if (isRefusedForGood(error)) return 'refused';
      throw error;
    }
  }

  async readReceipts(replicaId: string, after: number, max: number): Promise<Receipt[]> {
    const from = Math.max(1, after + 2 - limits.pushOperationsMax);
    const receipts: Receipt[] = [];
    const query = { pk: replicaKey(replicaId), from: `receipt#${digits(from)}`, to: 'receipt#~', limit: RECEIPT_ITEMS };
    for await (const item of this.#table.query(query)) {
      receipts.push(...parseReceipts(item['receipts']).filter(({ seq }) => seq > after));
      if (receipts.length >= max) break;
    }
    return receipts.slice(0, max);
  }

  async readRevised(replicaId: string, after: number, max: number): Promise<Revision[]> {
    const revisions: Revision[] = [];
    const query = { pk: replicaKey(replicaId), from: `revised#${digits(after + 1)}`, to: 'revised#~', limit: max };
    for await (const item of this.#table.query(query)) {
      const number = Number(String(item['sk']).slice('revised#'.length));
      revisions.push({ number, receipt: receiptSchema.parse(JSON.parse(String(item['receipt']))) });
      if (revisions.length >= max) break;
    }
    return revisions;
  }

  async listExceptions({ status, storeId, after, max }: Parameters<UploadStore['listExceptions']>[0]) {
    const exceptions: UploadException[] = [];
    for await (const item of this.#table.query({ pk: EXCEPTIONS, from: after === undefined ? ' ' : `${after} `, to: '~' })) {
      const exception = parseException(item);
      if (status !== undefined && exception.receipt.status !== status) continue;
      if (storeId !== undefined && exception.storeId !== storeId) continue;
      if (exceptions.length === max) return { exceptions, next: exceptions.at(-1)?.opId ?? null };
      exceptions.push(exception);
    }
    return { exceptions, next: null };
  }

  async readLost({ collection, key }: { readonly collection: string; readonly key: string }, max: number): Promise<LostValue[]> {
    const values: LostValue[] = [];
    for await (const item of this.#table.query({ ...lostOf({ collection, key }), limit: max })) {
      values.push(...lostValues(item));
      if (values.length >= max) break;
    }
    return values.slice(0, max);
  }

  async forgetLost(record: { readonly collection: string; readonly key: string }): Promise<void> {
    const range = lostOf(record);
    for await (const { sk } of this.#table.query(range)) await this.#table.delete(range.pk, String(sk));
  }

  async readException(opId: string): Promise<UploadException | null> {
    const item = await this.#table.get(EXCEPTIONS, opId);
    return item === null ? null : parseException(item);
  }

  async readHeld(waitsFor: string): Promise<UploadException[]> {
    const held: UploadException[] = [];
    for await (const item of this.#table.query({ pk: `held#${waitsFor}`, from: ' ', to: '~' })) {
      const exception = await this.readException(String(item['sk']));
      if (exception?.waitsFor === waitsFor) held.push(exception);
    }
    return held;
  }

  async closeException(before: UploadException, step: Parameters<UploadStore['closeException']>[1]): Promise<'closed' | 'conflict'> {
    const { exception, writes, lost, sender } = step;
    const told = await Promise.all([before.replicaId, ...before.copies].map((replicaId) => this.#told(replicaId, before, step)));
    const isStanding = 'version = :version';
    const gone = {
      TableName: this.#table.name,
      Key: { pk: EXCEPTIONS, sk: before.opId },
      ConditionExpression: isStanding,
      ExpressionAttributeValues: { ':version': before.version },
    };
    const stillHeld = exception !== null && exception.waitsFor === before.waitsFor;
    const actions: Action[] = [
      ...told.flat(),
      ...(exception === null ? [{ Delete: gone }] : this.#exception(exception, before.version)),
      ...(before.waitsFor === null || stillHeld
        ? []
        : [{ Delete: { TableName: this.#table.name, Key: { pk: `held#${before.waitsFor}`, sk: before.opId } } }]),
      ...(sender === null ? [] : [{ ConditionCheck: whileTrusted(this.#tables.stores, sender) }]),
      ...writes.map((write) => ({ Put: putRecord(this.#tables.records, write) })),
      ...this.#lost(lost),
    ];
    return this.#table.write('close an exception', actions, 'closed');
  }

  /**
   * A replica is told under the number that its head counts in the same transaction: a number that somebody has seen is never
   * followed by a smaller one, as a time would be.
   */
  async #told(
    replicaId: string,
    { opId, receipt: was }: UploadException,
    { receipt, by }: Parameters<UploadStore['closeException']>[1],
  ): Promise<Action[]> {
    const { revisions } = await this.readHead(replicaId);
    const head = {
      TableName: this.#table.name,
      Key: { pk: replicaKey(replicaId), sk: 'head' },
      UpdateExpression: 'SET revisions = :next',
      ConditionExpression: 'revisions = :now',
      ExpressionAttributeValues: { ':now': revisions, ':next': revisions + 1 },
    };
    const own = JSON.stringify({ ...receipt, opId });
    const Item = { pk: replicaKey(replicaId), sk: `revised#${digits(revisions + 1)}`, receipt: own, by, was: was.status };
    return [{ Update: head }, { Put: { TableName: this.#table.name, Item } }];
  }

  #exception(exception: UploadException, previous: number): Action[] {
    const { opId, waitsFor } = exception;
    const Item = { pk: EXCEPTIONS, sk: opId, version: exception.version, exception: JSON.stringify(exception) };
    const condition =
      previous === 0
        ? { ConditionExpression: 'attribute_not_exists(pk)' }
        : { ConditionExpression: 'version = :version', ExpressionAttributeValues: { ':version': previous } };
    return [
      { Put: { TableName: this.#table.name, Item, ...condition } },
      ...(waitsFor === null ? [] : [{ Put: { TableName: this.#table.name, Item: { pk: `held#${waitsFor}`, sk: opId } } }]),
    ];
  }

  #lost(values: readonly LostValue[]): Action[] {
    return lostItems(values).map((Item) => ({ Put: { TableName: this.#table.name, Item } }));
  }
}

function parseReceipts(text: unknown): Receipt[] {
  return z.array(receiptSchema).parse(JSON.parse(String(text)));
}

function parseException(item: Item): UploadException {
  return exceptionSchema.parse(JSON.parse(String(item['exception'])));
}

function replicaKey(replicaId: string): string {
  return `replica#${replicaId}`;
}

function digits(seq: number): string {
  return String(seq).padStart(12, '0');
}
