import {
  BatchGetCommand,
  BatchWriteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  TransactWriteCommand,
} from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import type { FeedHead, FeedPage, FeedState, FeedStore, SnapshotPointer } from '../../core/ports/feed-store.ts';
import { assert, must } from '../../protocol/assert.ts';
import { type SegmentIndex, emptyIndex } from '../../core/segments/segment.ts';
import type { Cursor, FeedName } from '../../protocol/feed.ts';
import { cancellationReasons, isConditionFailed, translated } from './aws-errors.ts';
import { sendAll } from './leftovers.ts';
import { packIndex, unpackIndex } from './segment-index-item.ts';

/**
 * Feeds in DynamoDB. `pk` is the feed's name; `sk` is `head`, `page#<12 digits>`, `segments`, `snapshot` or `snapshot#<12 digits>`.
 *
 * Holds INV-01: a page is put in the transaction that moves the head to it, conditional on the head before it, so
 * pages are numbered without gaps and a page never changes.
 */
const headSchema = z.object({ pk: z.string(), generation: z.string(), position: z.number(), asOf: z.string().nullable() });
const pointerSchema = z.object({
  pk: z.string(),
  generation: z.string(),
  position: z.number(),
  manifestSha256: z.string(),
  root: z.string(),
  rows: z.number(),
  bytes: z.number(),
  chunks: z.number(),
});
const pageSchema = z.object({ sk: z.string(), body: z.instanceof(Uint8Array), asOf: z.string() });

/** Pages of one Query answer; an answer holds 1 MB, about three of the largest pages. */
const QUERY_PAGES = 100;
/** BatchWriteItem takes no more. */
const DELETES_AT_ONCE = 25;
const DIRECTORY = 'feeds';

type WriteRequests = NonNullable<BatchWriteCommand['input']['RequestItems']>[string];

export class DynamoFeedStore implements FeedStore {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async readFeeds(feeds: readonly FeedName[]): Promise<ReadonlyMap<FeedName, FeedState>> {
    assert(feeds.length <= 50, 'readFeeds: at most 50 feeds, because one BatchGet takes 100 keys');
    if (feeds.length === 0) return new Map();
    const keys: Record<string, unknown>[] = feeds.flatMap((pk) => [
      { pk, sk: 'head' },
      { pk, sk: 'snapshot' },
    ]);
    const heads = new Map<FeedName, FeedHead>();
    const snapshots = new Map<FeedName, SnapshotPointer>();
    await sendAll('read feeds', keys, async (Keys) => {
      const request = { RequestItems: { [this.#table]: { Keys: [...Keys], ConsistentRead: true } } };
      const answer = await translated('read feeds', this.#client.send(new BatchGetCommand(request)));
      for (const item of answer.Responses?.[this.#table] ?? []) {
        if (item['sk'] === 'head') heads.set(item['pk'] as FeedName, toHead(item));
        else snapshots.set(item['pk'] as FeedName, toPointer(item));
      }
      return answer.UnprocessedKeys?.[this.#table]?.Keys ?? [];
    });
    return new Map([...heads].map(([feed, head]) => [feed, { head, snapshot: snapshots.get(feed) ?? null }]));
  }

  async listFeeds(): Promise<FeedName[]> {
    const names: FeedName[] = [];
    let start: Record<string, unknown> | undefined;
    do {
      const answer = await translated(
        'list feeds',
        this.#client.send(
          new QueryCommand({
            TableName: this.#table,
            KeyConditionExpression: 'pk = :pk',
            ExpressionAttributeValues: { ':pk': DIRECTORY },
            ConsistentRead: true,
            ...(start === undefined ? {} : { ExclusiveStartKey: start }),
          }),
        ),
      );
      for (const item of answer.Items ?? []) names.push(item['sk'] as FeedName);
      start = answer.LastEvaluatedKey;
    } while (start !== undefined);
    return names;
  }

  async createFeed(feed: FeedName, generation: string): Promise<FeedHead> {
    // The directory first: a feed in it without a head is harmless, a head that is not in it would never be compacted.
    await translated('list a feed', this.#client.send(new PutCommand({ TableName: this.#table, Item: { pk: DIRECTORY, sk: feed } })));
    const item = { pk: feed, sk: 'head', generation, position: 0, asOf: null };
    try {
      const put = new PutCommand({ TableName: this.#table, Item: item, ConditionExpression: 'attribute_not_exists(pk)' });
      await translated('create a feed', this.#client.send(put));
      return toHead(item);
    } catch (error) {
      if (!isConditionFailed(error)) throw error;
      const state = (await this.readFeeds([feed])).get(feed);
      return must(state, `${feed} exists and cannot be read`).head;
    }
  }

  async appendPage(after: FeedHead, page: FeedPage): Promise<'appended' | 'conflict'> {
    assert(page.position === after.position + 1, () => `INV-01: page ${page.position} after head ${after.position} of ${after.feed}`);
    const moveHead = {
      TableName: this.#table,
      Key: { pk: after.feed, sk: 'head' },
      UpdateExpression: 'SET #position = :next, asOf = :asOf',
      ConditionExpression: '#position = :previous AND generation = :generation',
      ExpressionAttributeNames: { '#position': 'position' },
      ExpressionAttributeValues: {
        ':next': page.position,
        ':previous': after.position,
        ':generation': after.generation,
        ':asOf': page.asOf,
      },
    };
    const putPage = {
      TableName: this.#table,
      Item: { pk: after.feed, sk: pageKey(page.position), generation: after.generation, asOf: page.asOf, body: page.body },
      ConditionExpression: 'attribute_not_exists(pk)',
    };
    return this.#transact('append a page', [{ Update: moveHead }, { Put: putPage }]);
  }

  async readPages(feed: FeedName, after: number, bytesMax: number): Promise<FeedPage[]> {
    const pages: FeedPage[] = [];
    let bytes = 0;
    let start: Record<string, unknown> | undefined;
    do {
      const answer = await translated(
        'read pages',
        this.#client.send(
          new QueryCommand({
            TableName: this.#table,
            KeyConditionExpression: 'pk = :pk AND sk BETWEEN :from AND :to',
            ExpressionAttributeValues: { ':pk': feed, ':from': pageKey(after + 1), ':to': 'page#~' },
            ConsistentRead: true,
            Limit: QUERY_PAGES,
            ...(start === undefined ? {} : { ExclusiveStartKey: start }),
          }),
        ),
      );
      for (const item of answer.Items ?? []) {
        const page = toPage(item);
        assert(page.position === after + pages.length + 1, () => `INV-01: ${feed} has no page ${after + pages.length + 1}`);
        if (pages.length > 0 && bytes + page.body.length > bytesMax) return pages;
        pages.push(page);
        bytes += page.body.length;
      }
      start = answer.LastEvaluatedKey;
    } while (start !== undefined);
    return pages;
  }

  async readSegments({ feed, generation }: Pick<FeedHead, 'feed' | 'generation'>): Promise<SegmentIndex> {
    const key = { pk: feed, sk: 'segments' };
    const answer = await translated(
      'read segments',
      this.#client.send(new GetCommand({ TableName: this.#table, Key: key, ConsistentRead: true })),
    );
    if (answer.Item === undefined) return emptyIndex(feed, generation);
    const index = await unpackIndex(feed, answer.Item);
    // Of another generation: void, but what replaces it must know its version.
    return index.generation === generation ? index : emptyIndex(feed, generation, index.version);
  }

  async replaceSegments(before: SegmentIndex, after: SegmentIndex): Promise<'replaced' | 'conflict'> {
    const put = new PutCommand({
      TableName: this.#table,
      Item: { pk: after.feed, sk: 'segments', ...(await packIndex({ ...after, version: before.version + 1 })) },
      ConditionExpression: before.version === 0 ? 'attribute_not_exists(pk)' : '#version = :version',
      ...(before.version === 0
        ? {}
        : { ExpressionAttributeNames: { '#version': 'version' }, ExpressionAttributeValues: { ':version': before.version } }),
    });
    try {
      await translated('replace segments', this.#client.send(put));
      return 'replaced';
    } catch (error) {
      if (isConditionFailed(error)) return 'conflict';
      throw error;
    }
  }

  async deletePages(feed: FeedName, after: number, through: number): Promise<void> {
    for (let position = after + 1; position <= through; position += DELETES_AT_ONCE) {
      const count = Math.min(DELETES_AT_ONCE, through - position + 1);
      await this.#delete(Array.from({ length: count }, (_, index) => ({ pk: feed, sk: pageKey(position + index) })));
    }
  }

  async sweepPages(feed: FeedName, through: number): Promise<number> {
    let swept = 0;
    for (;;) {
      const query = new QueryCommand({
        TableName: this.#table,
        KeyConditionExpression: 'pk = :pk AND sk BETWEEN :from AND :through',
        ExpressionAttributeValues: { ':pk': feed, ':from': pageKey(0), ':through': pageKey(through) },
        ProjectionExpression: 'pk, sk',
        ConsistentRead: true,
        Limit: DELETES_AT_ONCE,
      });
      const { Items: found = [] } = await translated('find pages', this.#client.send(query));
      if (found.length === 0) return swept;
      await this.#delete(found as { pk: string; sk: string }[]);
      swept += found.length;
    }
  }

  async #delete(keys: readonly { pk: string; sk: string }[]): Promise<void> {
    const requests: WriteRequests = keys.map((Key) => ({ DeleteRequest: { Key } }));
    await sendAll('delete pages', requests, async (some) => {
      const batch = new BatchWriteCommand({ RequestItems: { [this.#table]: [...some] } });
      const answer = await translated('delete pages', this.#client.send(batch));
      return answer.UnprocessedItems?.[this.#table] ?? [];
    });
  }

  async publishSnapshot(pointer: SnapshotPointer): Promise<'published' | 'superseded'> {
    const { feed, ...rest } = pointer;
    const newest = {
      TableName: this.#table,
      Item: { pk: feed, sk: 'snapshot', ...rest },
      ConditionExpression: 'attribute_not_exists(pk) OR generation <> :generation OR #position < :position',
      ExpressionAttributeNames: { '#position': 'position' },
      ExpressionAttributeValues: { ':generation': pointer.generation, ':position': pointer.position },
    };
    const kept = { TableName: this.#table, Item: { pk: feed, sk: snapshotKey(pointer.position), ...rest } };
    const outcome = await this.#transact('publish a snapshot', [{ Put: newest }, { Put: kept }]);
    return outcome === 'appended' ? 'published' : 'superseded';
  }

  async sweepSnapshots(feed: FeedName, kept: ReadonlySet<string>): Promise<number> {
    const gone: { pk: string; sk: string }[] = [];
    let start: Record<string, unknown> | undefined;
    do {
      const query = new QueryCommand({
        TableName: this.#table,
        KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
        ExpressionAttributeValues: { ':pk': feed, ':prefix': 'snapshot#' },
        ProjectionExpression: 'pk, sk, manifestSha256',
        ConsistentRead: true,
        ...(start === undefined ? {} : { ExclusiveStartKey: start }),
      });
      const { Items: found = [], LastEvaluatedKey: last } = await translated('list snapshots', this.#client.send(query));
      gone.push(
        ...found.filter((item) => !kept.has(String(item['manifestSha256']))).map(({ pk, sk }) => ({ pk: String(pk), sk: String(sk) })),
      );
      start = last;
    } while (start !== undefined);
    for (let at = 0; at < gone.length; at += DELETES_AT_ONCE) await this.#delete(gone.slice(at, at + DELETES_AT_ONCE));
    return gone.length;
  }

  async readSnapshot(feed: FeedName, cursor: Cursor): Promise<SnapshotPointer | null> {
    const key = { pk: feed, sk: snapshotKey(cursor.position) };
    const answer = await translated(
      'read a snapshot',
      this.#client.send(new GetCommand({ TableName: this.#table, Key: key, ConsistentRead: true })),
    );
    const pointer = answer.Item === undefined ? null : toPointer(answer.Item);
    return pointer?.generation === cursor.generation ? pointer : null;
  }

  async #transact(
    doing: string,
    TransactItems: NonNullable<TransactWriteCommand['input']['TransactItems']>,
  ): Promise<'appended' | 'conflict'> {
    try {
      await translated(doing, this.#client.send(new TransactWriteCommand({ TransactItems })));
      return 'appended';
    } catch (error) {
      const reasons = cancellationReasons(error);
      if (reasons?.some((code) => code === 'ConditionalCheckFailed' || code === 'TransactionConflict') === true) return 'conflict';
      throw error;
    }
  }
}

function pageKey(position: number): string {
  return `page#${String(position).padStart(12, '0')}`;
}

function snapshotKey(position: number): string {
  return `snapshot#${String(position).padStart(12, '0')}`;
}

function toHead(item: unknown): FeedHead {
  const { pk, ...head } = headSchema.parse(item);
  return { feed: pk as FeedName, ...head };
}

function toPointer(item: unknown): SnapshotPointer {
  const { pk, ...pointer } = pointerSchema.parse(item);
  return { feed: pk as FeedName, ...pointer };
}

function toPage(item: unknown): FeedPage {
  const { sk, body, asOf } = pageSchema.parse(item);
  return { position: Number(sk.slice('page#'.length)), body, asOf };
}
