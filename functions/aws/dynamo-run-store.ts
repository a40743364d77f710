import { DeleteCommand, type DynamoDBDocumentClient, GetCommand, PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import type { Difference, FreshRecord, RunStore } from '../../core/ports/run-store.ts';
import { firstIdAt } from '../../core/runs/uuid-time.ts';
import { limits } from '../../protocol/limits.ts';
import { type Command, type Run, commandSchema, runSchema } from '../../protocol/runs.ts';
import { isConditionFailed, translated } from './aws-errors.ts';

/**
 * Runs and commands in the stores table: `pk` = `store#<id>`, `sk` = `run#<runId>`, `fresh#<replica uuid>`,
 * `command#<commandId>` or `difference#<id>`. Ids begin with their time, so a range of keys is a range of time, and what is old is found without
 * reading what is not.
 */
const freshSchema = z.object({
  storeId: z.string(),
  replicaId: z.string(),
  runId: z.string(),
  startedAt: z.string(),
  declaredThrough: z.int(),
  completeAt: z.string().nullable(),
  cancelledAt: z.string().nullable(),
  workflowAt: z.string().nullable(),
  checkedAt: z.string().nullable(),
  missing: z.array(z.string()),
});
const differenceSchema = z.object({ differenceId: z.string(), at: z.string(), replicaId: z.string(), feed: z.string() });
/** Old runs that one call takes away; more of them wait for the next. */
const PRUNED_AT_ONCE = 25;

type Item = Record<string, unknown>;

export class DynamoRunStore implements RunStore {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async noteRun(storeId: string, run: Run): Promise<void> {
    await this.#put(
      { pk: storeKey(storeId), sk: `run#${run.runId}`, updatedAt: run.updatedAt, run: JSON.stringify(run) },
      { ConditionExpression: 'attribute_not_exists(pk) OR updatedAt <= :at', ExpressionAttributeValues: { ':at': run.updatedAt } },
    );
  }

  async readRuns(storeId: string, limit: number): Promise<Run[]> {
    const items = await this.#query(storeId, { from: 'run#', to: 'run#~', limit, newestFirst: true });
    return items.map((item) => runSchema.parse(JSON.parse(String(item['run']))));
  }

  removeRun(storeId: string, runId: string): Promise<void> {
    return this.#delete([{ pk: storeKey(storeId), sk: `run#${runId}` }]);
  }

  async readRunsSince(storeId: string, since: number): Promise<Run[]> {
    const items = await this.#query(storeId, { from: `run#${firstIdAt(since)}`, to: 'run#~' });
    return items.map((item) => runSchema.parse(JSON.parse(String(item['run']))));
  }

  async noteDifference(storeId: string, difference: Difference): Promise<void> {
    await this.#put({ pk: storeKey(storeId), sk: `difference#${difference.differenceId}`, ...difference }, {});
    const old = firstIdAt(Date.parse(difference.at) - limits.runsKeptMs);
    await this.#delete(await this.#query(storeId, { from: 'difference#', to: `difference#${old}`, limit: PRUNED_AT_ONCE }));
  }

  async readDifferences(storeId: string, since: number): Promise<Difference[]> {
    const items = await this.#query(storeId, { from: `difference#${firstIdAt(since)}`, to: 'difference#~' });
    return items.map((item) => differenceSchema.parse(item));
  }

  async pruneRuns(storeId: string, before: number): Promise<void> {
    await this.#delete(await this.#query(storeId, { from: 'run#', to: `run#${firstIdAt(before)}`, limit: PRUNED_AT_ONCE }));
  }

  async readFresh(replicaId: string): Promise<FreshRecord | null> {
    const [storeId, uuid] = partsOf(replicaId);
    const item = await this.#get(storeId, `fresh#${uuid}`);
    return item === null ? null : freshSchema.parse(item);
  }

  async listFresh(storeId: string): Promise<FreshRecord[]> {
    return (await this.#query(storeId, { from: 'fresh#', to: 'fresh#~' })).map((item) => freshSchema.parse(item));
  }

  async putFresh(record: FreshRecord): Promise<void> {
    await this.#put(freshItem(record), {});
  }

  changeFresh(record: FreshRecord): Promise<boolean> {
    return this.#put(freshItem(record), {
      ConditionExpression: 'runId = :run AND completeAt = :none AND cancelledAt = :none',
      ExpressionAttributeValues: { ':run': record.runId, ':none': null },
    });
  }

  async addCommand(command: Command): Promise<void> {
    await this.#put(commandItem(command), { ConditionExpression: 'attribute_not_exists(pk)' });
  }

  async readCommand(storeId: string, commandId: string): Promise<Command | null> {
    const item = await this.#get(storeId, `command#${commandId}`);
    return item === null ? null : parseCommand(item);
  }

  async readCommands(storeId: string, since: number): Promise<Command[]> {
    return (await this.#query(storeId, { from: `command#${firstIdAt(since)}`, to: 'command#~' })).map(parseCommand);
  }

  async changeCommand(before: Command, after: Command): Promise<'changed' | 'conflict'> {
    const isChanged = await this.#put(commandItem(after), {
      ConditionExpression: '#state = :before',
      ExpressionAttributeNames: { '#state': 'state' },
      ExpressionAttributeValues: { ':before': before.state },
    });
    return isChanged ? 'changed' : 'conflict';
  }

  async #put(Item: Item, condition: Item): Promise<boolean> {
    try {
      await translated('keep a run', this.#client.send(new PutCommand({ TableName: this.#table, Item, ...condition })));
      return true;
    } catch (error) {
      if (isConditionFailed(error)) return false;
      throw error;
    }
  }

  async #delete(items: readonly Item[]): Promise<void> {
    await Promise.all(
      items.map(({ pk, sk }) =>
        translated('delete a run', this.#client.send(new DeleteCommand({ TableName: this.#table, Key: { pk, sk } }))),
      ),
    );
  }

  async #get(storeId: string, sk: string): Promise<Item | null> {
    const request = { TableName: this.#table, Key: { pk: storeKey(storeId), sk }, ConsistentRead: true };
    return (await translated('read a run', this.#client.send(new GetCommand(request)))).Item ?? null;
  }

  async #query(storeId: string, range: { from: string; to: string; limit?: number; newestFirst?: boolean }): Promise<Item[]> {
    const items: Item[] = [];
    let start: Item | undefined;
    do {
      const query = new QueryCommand({
        TableName: this.#table,
        KeyConditionExpression: 'pk = :pk AND sk BETWEEN :from AND :to',
        ExpressionAttributeValues: { ':pk': storeKey(storeId), ':from': range.from, ':to': range.to },
        ConsistentRead: true,
        ScanIndexForward: range.newestFirst !== true,
        ...(range.limit === undefined ? {} : { Limit: range.limit - items.length }),
        ...(start === undefined ? {} : { ExclusiveStartKey: start }),
      });
      const answer = await translated('read runs', this.#client.send(query));
      items.push(...(answer.Items ?? []));
      start = answer.LastEvaluatedKey;
    } while (start !== undefined && (range.limit === undefined || items.length < range.limit));
    return items;
  }
}

function freshItem(record: FreshRecord): Item {
  const [storeId, uuid] = partsOf(record.replicaId);
  return { pk: storeKey(storeId), sk: `fresh#${uuid}`, ...record };
}

function commandItem(command: Command): Item {
  return { pk: storeKey(command.storeId), sk: `command#${command.commandId}`, state: command.state, command: JSON.stringify(command) };
}

function parseCommand(item: Item): Command {
  return commandSchema.parse(JSON.parse(String(item['command'])));
}

function partsOf(replicaId: string): [string, string] {
  const colon = replicaId.lastIndexOf(':');
  return [replicaId.slice(0, colon), replicaId.slice(colon + 1)];
}

function storeKey(storeId: string): string {
  return `store#${storeId}`;
}
