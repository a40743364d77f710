import { type DynamoDBDocumentClient, GetCommand, QueryCommand, TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import type { ApplyStep, LostValue, UploadException, UploadHead, UploadStore } from '../../core/ports/upload-store.ts';
import { CHAIN_START, type Operation, type Receipt, operationSchema, receiptSchema } from '../../protocol/operation.ts';
import { limits } from '../../protocol/limits.ts';
import { SyncError } from '../../protocol/sync-error.ts';
import { cancellationReasons, translated } from './aws-errors.ts';
import { putRecord } from './dynamo-record-store.ts';

/**
 * Uploads in DynamoDB, in a table of their own.
 *
 * `pk` = `replica#<id>`: `head`, `in#<seq>` (a batch as it came, by its first `seq`), `receipt#<seq>` (of one transaction,
 * by its first `seq`), `revised#<time>#<opId>`. `pk` = `exceptions`: one item an exception, `sk` = operation id.
 * `pk` = `held#<collection>/<key>`: what waits for a record. `pk` = `lost#<collection>/<key>`: values that lost a merge.
 */
const headSchema = z.object({ seq: z.int(), chain: z.string(), appliedThrough: z.int(), revisions: z.int() });
const exceptionSchema = z.object({
  opId: z.string(),
  storeId: z.string(),
  replicaId: z.string(),
  operation: operationSchema,
  receipt: receiptSchema,
  waitsFor: z.string().nullable(),
  against: z.array(z.string()),
  at: z.string(),
  version: z.int(),
});
const EXCEPTIONS = 'exceptions';

type Item = Record<string, unknown>;
interface Action {
  readonly Put?: Item;
  readonly Update?: Item;
  readonly Delete?: Item;
  readonly ConditionCheck?: Item;
}

export interface UploadTables {
  readonly uploads: string;
  readonly records: string;
  readonly stores: string;
}

export class DynamoUploadStore implements UploadStore {
  readonly #client: DynamoDBDocumentClient;
  readonly #tables: UploadTables;

  constructor(client: DynamoDBDocumentClient, tables: UploadTables) {
    this.#client = client;
    this.#tables = tables;
  }

  async readHead(replicaId: string): Promise<UploadHead> {
    const item = await this.#get(replicaKey(replicaId), 'head');
    if (item === null) return { replicaId, stored: { seq: 0, chain: CHAIN_START }, appliedThrough: 0, revisions: 0 };
    const { seq, chain, appliedThrough, revisions } = headSchema.parse(item);
    return { replicaId, stored: { seq, chain }, appliedThrough, revisions };
  }

  store({ replicaId, stored }: UploadHead, operations: readonly Operation[]): Promise<'stored' | 'conflict'> {
    const [first, last] = [operations[0], operations.at(-1)];
    if (first === undefined || last === undefined) return Promise.resolve('stored');
    const head = {
      TableName: this.#tables.uploads,
      Key: { pk: replicaKey(replicaId), sk: 'head' },
      UpdateExpression:
        'SET #seq = :seq, #chain = :chain, appliedThrough = if_not_exists(appliedThrough, :none), revisions = if_not_exists(revisions, :none)',
      ConditionExpression: stored.seq === 0 ? 'attribute_not_exists(pk) OR #seq = :before' : '#seq = :before',
      ExpressionAttributeNames: { '#seq': 'seq', '#chain': 'chain' },
      ExpressionAttributeValues: { ':seq': last.seq, ':chain': last.chain, ':before': stored.seq, ':none': 0 },
    };
    const batch = { pk: replicaKey(replicaId), sk: `in#${digits(first.seq)}`, operations: JSON.stringify(operations) };
    return this.#write('store operations', [{ Update: head }, { Put: this.#newItem(batch) }], 'stored');
  }

  async readOperations(replicaId: string, after: number, max: number): Promise<Operation[]> {
    // A batch stands under its first `seq`; the one that holds `after + 1` starts at most a batch before it.
    const from = Math.max(1, after + 2 - limits.pushOperationsMax);
    const operations: Operation[] = [];
    const query = { pk: replicaKey(replicaId), from: `in#${digits(from)}`, to: 'in#~' };
    for await (const item of this.#query(query)) {
      const batch = z.array(operationSchema).parse(JSON.parse(String(item['operations'])));
      operations.push(...batch.filter(({ seq }) => seq > after));
      if (operations.length >= max) break;
    }
    return operations.slice(0, max);
  }

  apply({ head, appliedThrough, writes, receipts, exceptions, lost }: ApplyStep): Promise<'applied' | 'conflict'> {
    const { replicaId } = head;
    const watermark = {
      TableName: this.#tables.uploads,
      Key: { pk: replicaKey(replicaId), sk: 'head' },
      UpdateExpression: 'SET appliedThrough = :to',
      ConditionExpression: 'appliedThrough = :from',
      ExpressionAttributeValues: { ':to': appliedThrough, ':from': head.appliedThrough },
    };
    const answers = { pk: replicaKey(replicaId), sk: `receipt#${digits(head.appliedThrough + 1)}`, receipts: JSON.stringify(receipts) };
    const actions: Action[] = [
      { Update: watermark },
      { Put: this.#newItem(answers) },
      { ConditionCheck: this.#active(replicaId) },
      ...writes.map((write) => ({ Put: putRecord(this.#tables.records, write) })),
      ...exceptions.flatMap((exception) => this.#exception(exception, 0)),
      ...this.#lost(lost),
    ];
    return this.#write('apply operations', actions, 'applied');
  }

  async readReceipts(replicaId: string, after: number, max: number): Promise<Receipt[]> {
    const from = Math.max(1, after + 2 - limits.pushOperationsMax);
    const receipts: Receipt[] = [];
    for await (const item of this.#query({ pk: replicaKey(replicaId), from: `receipt#${digits(from)}`, to: 'receipt#~' })) {
      receipts.push(...parseReceipts(item['receipts']).filter(({ seq }) => seq > after));
      if (receipts.length >= max) break;
    }
    return receipts.slice(0, max);
  }

  async readRevised(replicaId: string, max: number): Promise<Receipt[]> {
    const receipts: Receipt[] = [];
    const query = { pk: replicaKey(replicaId), from: 'revised#', to: 'revised#~', newestFirst: true };
    for await (const item of this.#query(query)) {
      receipts.push(receiptSchema.parse(JSON.parse(String(item['receipt']))));
      if (receipts.length >= max) break;
    }
    return receipts.toReversed();
  }

  async listExceptions({ status, storeId, after, max }: Parameters<UploadStore['listExceptions']>[0]) {
    const exceptions: UploadException[] = [];
    for await (const item of this.#query({ pk: EXCEPTIONS, from: after === undefined ? ' ' : `${after} `, to: '~' })) {
      const exception = parseException(item);
      if (status !== undefined && exception.receipt.status !== status) continue;
      if (storeId !== undefined && exception.storeId !== storeId) continue;
      if (exceptions.length === max) return { exceptions, next: exceptions.at(-1)?.opId ?? null };
      exceptions.push(exception);
    }
    return { exceptions, next: null };
  }

  async readException(opId: string): Promise<UploadException | null> {
    const item = await this.#get(EXCEPTIONS, opId);
    return item === null ? null : parseException(item);
  }

  async readHeld(waitsFor: string): Promise<UploadException[]> {
    const held: UploadException[] = [];
    for await (const item of this.#query({ pk: `held#${waitsFor}`, from: ' ', to: '~' })) {
      const exception = await this.readException(String(item['sk']));
      if (exception?.waitsFor === waitsFor) held.push(exception);
    }
    return held;
  }

  closeException(before: UploadException, step: Parameters<UploadStore['closeException']>[1]): Promise<'closed' | 'conflict'> {
    const { receipt, exception, writes, lost, by } = step;
    const revision = {
      TableName: this.#tables.uploads,
      Key: { pk: replicaKey(before.replicaId), sk: 'head' },
      UpdateExpression: 'SET revisions = revisions + :one',
      ConditionExpression: 'attribute_exists(pk)',
      ExpressionAttributeValues: { ':one': 1 },
    };
    const told = {
      pk: replicaKey(before.replicaId),
      sk: `revised#${receipt.at}#${before.opId}`,
      receipt: JSON.stringify(receipt),
      by,
      was: before.receipt.status,
    };
    const isStanding = 'version = :version';
    const gone = {
      TableName: this.#tables.uploads,
      Key: { pk: EXCEPTIONS, sk: before.opId },
      ConditionExpression: isStanding,
      ExpressionAttributeValues: { ':version': before.version },
    };
    const stillHeld = exception !== null && exception.waitsFor === before.waitsFor;
    const actions: Action[] = [
      { Update: revision },
      { Put: { TableName: this.#tables.uploads, Item: told } },
      ...(exception === null ? [{ Delete: gone }] : this.#exception(exception, before.version)),
      ...(before.waitsFor === null || stillHeld
        ? []
        : [{ Delete: { TableName: this.#tables.uploads, Key: { pk: `held#${before.waitsFor}`, sk: before.opId } } }]),
      ...writes.map((write) => ({ Put: putRecord(this.#tables.records, write) })),
      ...this.#lost(lost),
    ];
    return this.#write('close an exception', actions, 'closed');
  }

  #exception(exception: UploadException, previous: number): Action[] {
    const { opId, waitsFor } = exception;
    const Item = { pk: EXCEPTIONS, sk: opId, version: exception.version, exception: JSON.stringify(exception) };
    const condition =
      previous === 0
        ? { ConditionExpression: 'attribute_not_exists(pk)' }
        : { ConditionExpression: 'version = :version', ExpressionAttributeValues: { ':version': previous } };
    return [
      { Put: { TableName: this.#tables.uploads, Item, ...condition } },
      ...(waitsFor === null ? [] : [{ Put: { TableName: this.#tables.uploads, Item: { pk: `held#${waitsFor}`, sk: opId } } }]),
    ];
  }

  /** One item an operation. */
  #lost(values: readonly LostValue[]): Action[] {
    const byOperation = Map.groupBy(values, ({ opId }) => opId);
    return [...byOperation.values()].map((lost) => {
      const { collection, key, opId } = lost[0] as LostValue;
      return {
        Put: { TableName: this.#tables.uploads, Item: { pk: `lost#${collection}/${key}`, sk: opId, values: JSON.stringify(lost) } },
      };
    });
  }

  #active(replicaId: string): Item {
    const colon = replicaId.lastIndexOf(':');
    return {
      TableName: this.#tables.stores,
      Key: { pk: `store#${replicaId.slice(0, colon)}`, sk: `replica#${replicaId.slice(colon + 1)}` },
      ConditionExpression: '#status = :active',
      ExpressionAttributeNames: { '#status': 'status' },
      ExpressionAttributeValues: { ':active': 'ACTIVE' },
    };
  }

  #newItem(Item: Item): Item {
    return { TableName: this.#tables.uploads, Item, ConditionExpression: 'attribute_not_exists(pk)' };
  }

  async #write<T extends string>(doing: string, TransactItems: Action[], done: T): Promise<T | 'conflict'> {
    try {
      // The actions are plain objects with exactly one of the four parts.
      const command = new TransactWriteCommand({ TransactItems: TransactItems as never });
      await translated(doing, this.#client.send(command));
      return done;
    } catch (error) {
      const reasons = cancellationReasons(error);
      if (reasons === null) throw error;
      if (reasons.some((reason) => reason === 'ConditionalCheckFailed' || reason === 'TransactionConflict')) return 'conflict';
      if (reasons.some((reason) => reason.includes('Throttling') || reason.includes('ProvisionedThroughput')))
        throw new SyncError('UNAVAILABLE', `${doing}: throttled`, { cause: error, retryAfterMs: 1_000 });
      throw error;
    }
  }

  async #get(pk: string, sk: string): Promise<Item | null> {
    const request = { TableName: this.#tables.uploads, Key: { pk, sk }, ConsistentRead: true };
    return (await translated('read uploads', this.#client.send(new GetCommand(request)))).Item ?? null;
  }

  async *#query(range: { pk: string; from: string; to: string; newestFirst?: boolean }): AsyncGenerator<Item> {
    let start: Item | undefined;
    do {
      const request = {
        TableName: this.#tables.uploads,
        KeyConditionExpression: 'pk = :pk AND sk BETWEEN :from AND :to',
        ExpressionAttributeValues: { ':pk': range.pk, ':from': range.from, ':to': range.to },
        ConsistentRead: true,
        ScanIndexForward: range.newestFirst !== true,
        ...(start === undefined ? {} : { ExclusiveStartKey: start }),
      };
      const answer = await translated('read uploads', this.#client.send(new QueryCommand(request)));
      yield* answer.Items ?? [];
      start = answer.LastEvaluatedKey;
    } while (start !== undefined);
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
