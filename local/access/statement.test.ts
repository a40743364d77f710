import { describe, expect, test } from 'vitest';
import { denialOf } from './denial.ts';
import { isAllowed, statementSchema } from './statement.ts';

const allow = (Action: string, Resource: string) => statementSchema.parse({ Effect: 'Allow', Action, Resource });
const DOORBELL = 'arn:aws:sqs:eu-west-2:000000000000:doorbell';

describe('a statement', () => {
  test.each([
    ['s3:GetObject', 'arn:aws:s3:::b/chunks/*', 's3:GetObject', 'b/chunks/a/b', true],
    ['s3:GetObject', 'arn:aws:s3:::b/chunks/*', 's3:GetObject', 'b/other', false],
    ['s3:GetObject', 'arn:aws:s3:::b/chunks/*', 's3:GetObject', 'a/b/chunks/c', false],
    ['s3:GetObject', 'arn:aws:s3:::b', 's3:GetObject', 'b/a', false],
    ['s3:Get*', 'arn:aws:s3:::b/*', 's3:GetObject', 'b/a', true],
    ['s3:getobject', 'arn:aws:s3:::b/*', 's3:GetObject', 'b/a', true],
    ['s3:Get*', 'arn:aws:s3:::b/*', 's3:PutObject', 'b/a', false],
    ['s3:GetObject', 'arn:aws:s3:::b/a*a', 's3:GetObject', 'b/a', false],
    ['s3:GetObject', 'arn:aws:s3:::b/*/x/*', 's3:GetObject', 'b/1/x/2', true],
    ['s3:GetObject', 'arn:aws:s3:::b/*/x/*', 's3:GetObject', 'b/1/y/2', false],
    ['s3:GetObject', '*', 's3:GetObject', 'b/a', true],
    ['sqs:SendMessage', DOORBELL, 'sqs:SendMessage', 'doorbell', true],
    ['sqs:SendMessage', DOORBELL, 'sqs:SendMessage', 'other-doorbell', false],
    ['sqs:SendMessage', 'arn:aws:sns:eu-west-2:000000000000:doorbell', 'sqs:SendMessage', 'doorbell', false],
  ])('%s on %s: %s on %s is allowed: %s', (action, arn, asked, resource, expected) =>
    expect(isAllowed(allow(action, arn), { action: asked, resource })).toBe(expected),
  );

  test.each([
    ['denies', { Effect: 'Deny', Action: 's3:GetObject', Resource: '*' }],
    ['has a condition that is not known', { Condition: { Bool: { 'aws:SecureTransport': 'true' } } }],
    ['has one more condition', { Condition: { StringEquals: { 'kms:ViaService': 's3', 'aws:SourceAccount': '1' } } }],
    ['has a condition of another service', { Condition: { StringEquals: { 'kms:ViaService': 's3' } } }],
    ['has a wildcard that is not known', { Resource: 'arn:aws:s3:::b/?' }],
    ['excepts something', { NotResource: '*' }],
  ])('that %s is not understood', (_, more) =>
    expect(statementSchema.safeParse({ Effect: 'Allow', Action: 's3:GetObject', Resource: '*', ...more }).success).toBe(false),
  );
});

test('a statement may have a name', () =>
  expect(statementSchema.safeParse({ Sid: 'one', Effect: 'Allow', Action: 's3:GetObject', Resource: '*' }).success).toBe(true));

test('a statement about a key, for use through a service, is understood', () => {
  const about = {
    Action: ['kms:Decrypt'],
    Resource: 'arn:aws:kms:eu-west-2:0:key/1',
    Condition: { StringEquals: { 'kms:ViaService': ['s3'] } },
  };
  expect(statementSchema.parse({ Effect: 'Allow', ...about }).Action).toEqual(['kms:Decrypt']);
});

describe('what a function may ask of', () => {
  const ask = (service: 'sqs' | 'sfn' | 's3', target: string, body: object, more: object = {}) => {
    const statements = [allow('sqs:SendMessage', DOORBELL), allow('s3:GetObject', 'arn:aws:s3:::b/a')];
    const headers = { 'x-amz-target': target };
    return denialOf(statements, { service, method: 'POST', path: '/', headers, body: Buffer.from(JSON.stringify(body)), ...more });
  };
  const object = { method: 'GET', path: '/b/a', headers: {} };
  test.each([
    ['a queue', ask('sqs', 'AmazonSQS.SendMessage', { QueueUrl: 'http://sqs/000000000000/doorbell' }), null],
    ['a queue, many messages', ask('sqs', 'AmazonSQS.SendMessageBatch', { QueueUrl: 'http://sqs/000000000000/doorbell' }), null],
    [
      'another queue',
      ask('sqs', 'AmazonSQS.SendMessage', { QueueUrl: 'http://sqs/000000000000/other' }),
      'perform sqs:SendMessage on other',
    ],
    ['a queue, to be emptied', ask('sqs', 'AmazonSQS.PurgeQueue', { QueueUrl: 'http://sqs/0/doorbell' }), 'not known here'],
    [
      'a workflow',
      ask('sfn', 'AWSStepFunctions.StartExecution', { stateMachineArn: 'arn:aws:states:eu-west-2:0:stateMachine:fresh' }),
      'perform states:StartExecution on stateMachine:fresh',
    ],
    ['an object', ask('s3', '', {}, object), null],
    ['nothing that is understood', ask('s3', '', {}, { ...object, method: 'POST', path: '/b?delete' }), 'not known here'],
    ['an object that is not there', ask('s3', '', {}, { ...object, missing: true }), 'perform s3:ListBucket on b'],
  ])('%s', (_, denial, expected) => (expected === null ? expect(denial).toBeNull() : expect(denial).toContain(expected)));
});
