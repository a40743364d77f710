/** The template's tables, made where they are not there yet. Returns the stream each table really has. */
import {
  CreateTableCommand,
  DescribeTableCommand,
  type DynamoDBClient,
  ResourceInUseException,
  type TableDescription,
} from '@aws-sdk/client-dynamodb';
import { setTimeout as sleep } from 'node:timers/promises';
import { SyncError } from '../protocol/sync-error.ts';
import type { TableDefinition } from './wiring.ts';

export async function createTables(client: DynamoDBClient, tables: readonly TableDefinition[]): Promise<Map<string, string>> {
  const streams = new Map<string, string>();
  for (const table of tables) {
    await createTable(client, table);
    const { LatestStreamArn } = await untilActive(client, table.name);
    if (LatestStreamArn !== undefined) streams.set(table.name, LatestStreamArn);
  }
  return streams;
}

async function createTable(client: DynamoDBClient, { name, properties }: TableDefinition): Promise<void> {
  const { StreamSpecification: stream, GlobalSecondaryIndexes: indexes } = properties;
  try {
    await client.send(
      new CreateTableCommand({
        TableName: name,
        KeySchema: properties.KeySchema,
        AttributeDefinitions: properties.AttributeDefinitions,
        BillingMode: 'PAY_PER_REQUEST',
        ...(indexes === undefined
          ? {}
          : { GlobalSecondaryIndexes: indexes.map(({ IndexName, KeySchema, Projection }) => ({ IndexName, KeySchema, Projection })) }),
        ...(stream === undefined ? {} : { StreamSpecification: { StreamEnabled: true, StreamViewType: stream.StreamViewType } }),
      }),
    );
  } catch (error) {
    if (error instanceof ResourceInUseException) return;
    throw new SyncError('LOCAL_STACK', `table ${name} cannot be made: ${(error as Error).message}`, { cause: error });
  }
}

async function untilActive(client: DynamoDBClient, name: string): Promise<TableDescription> {
  for (;;) {
    const { Table } = await client.send(new DescribeTableCommand({ TableName: name }));
    if (Table?.TableStatus === 'ACTIVE') return Table;
    await sleep(20);
  }
}
