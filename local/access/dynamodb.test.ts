import { describe, expect, test } from 'vitest';
import { denialOf } from './denial.ts';
import { statementSchema } from './statement.ts';

const TABLE = 'arn:aws:dynamodb:eu-west-2:000000000000:table/stores';
const statements = [
  { Effect: 'Allow', Action: 'dynamodb:Query', Resource: `${TABLE}/index/owner` },
  {
    Effect: 'Allow',
    Action: ['dynamodb:PutItem', 'dynamodb:Query', 'dynamodb:BatchGetItem', 'dynamodb:BatchWriteItem', 'dynamodb:ConditionCheckItem'],
    Resource: TABLE,
    Condition: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['store#*', 'stores'] } },
  },
].map((statement) => statementSchema.parse(statement));
const pk = (key: string) => ({ pk: { S: key }, sk: { S: 'x' } });
const ask = (operation: string, body: object) =>
  denialOf(statements, {
    service: 'dynamodb',
    method: 'POST',
    path: '/',
    headers: { 'x-amz-target': `DynamoDB_20120810.${operation}` },
    body: Buffer.from(JSON.stringify(body)),
  });
const query = (key: string, more: object = {}) =>
  ask('Query', {
    TableName: 'stores',
    KeyConditionExpression: 'pk = :pk AND sk > :x',
    ExpressionAttributeValues: { ':pk': { S: key } },
    ...more,
  });

describe('what a function may ask of DynamoDB', () => {
  test.each<[string, string | null]>([
    ['what it names and may', ask('PutItem', { TableName: 'stores', Item: pk('store#S1') })],
    ['a key that is named whole', query('stores')],
    [
      'a key by a name that stands for it',
      query('stores', { KeyConditionExpression: '#p = :pk', ExpressionAttributeNames: { '#p': 'pk' } }),
    ],
    ['an index, which has a statement of its own', query('anybody', { IndexName: 'owner' })],
    ['many at once', ask('BatchGetItem', { RequestItems: { stores: { Keys: [pk('store#S1'), pk('stores')] } } })],
    [
      'a transaction',
      ask('TransactWriteItems', {
        TransactItems: [
          { Put: { TableName: 'stores', Item: pk('store#S1') } },
          { ConditionCheck: { TableName: 'stores', Key: pk('store#S2') } },
        ],
      }),
    ],
    [
      'a batch',
      ask('BatchWriteItem', {
        RequestItems: { stores: [{ DeleteRequest: { Key: pk('store#S1') } }, { PutRequest: { Item: pk('stores') } }] },
      }),
    ],
  ])('lets through %s', (_, denial) => expect(denial).toBeNull());

  test.each<[string, string | null]>([
    ['another action', ask('DeleteItem', { TableName: 'stores', Key: pk('store#S1') })],
    ['another table', ask('PutItem', { TableName: 'records', Item: pk('store#S1') })],
    ['another key', ask('PutItem', { TableName: 'stores', Item: pk('erasure') })],
    ['a key that only begins alike', query('stores#S1')],
    ['another index', query('store#S1', { IndexName: 'other' })],
    ['one of many', ask('BatchGetItem', { RequestItems: { stores: { Keys: [pk('store#S1'), pk('code#1')] } } })],
    [
      'a part of a transaction',
      ask('TransactWriteItems', {
        TransactItems: [{ Put: { TableName: 'stores', Item: pk('store#S1') } }, { Delete: { TableName: 'stores', Key: pk('store#S1') } }],
      }),
    ],
    ['a part of a batch', ask('BatchWriteItem', { RequestItems: { stores: [{ DeleteRequest: { Key: pk('quarantine') } }] } })],
  ])('refuses %s', (_, denial) => expect(denial).toContain('not authorized'));

  test.each<[string, string | null]>([
    ['a statement', ask('ExecuteStatement', { Statement: 'SELECT 1' })],
    ['a table as a whole', ask('Scan', { TableName: 'stores' })],
    ['a batch of nothing, which may be of something else', ask('BatchExecuteStatement', { RequestItems: {} })],
    ['a transaction of nothing', ask('TransactWriteItems', { TransactItems: [] })],
    [
      'a query that names another key first',
      query('store#S1', {
        KeyConditionExpression: 'sk = :pk AND pk = :other',
        ExpressionAttributeValues: { ':pk': { S: 'store#S1' }, ':other': { S: 'erasure' } },
      }),
    ],
    [
      'the same by names that stand for others',
      query('store#S1', { KeyConditionExpression: '#a = :pk AND #b = :x', ExpressionAttributeNames: { '#a': 'sk', '#b': 'pk' } }),
    ],
    ['a query that is written another way', query('store#S1', { KeyConditionExpression: ':pk = pk' })],
  ])('what permission it takes is not known of %s, and it is refused', (_, denial) => expect(denial).toContain('not known here'));
});
