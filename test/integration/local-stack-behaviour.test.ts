/** What the local stack itself promises, with functions that fail when told to: Lambda's rules for streams, queues and calls. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { ReceiveMessageCommand, SQSClient, SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startLocalStack } from '../../local/stack.ts';
import { writeTinyAssembly } from '../fixtures/tiny-assembly.ts';

const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
let dir: string;
let running: Awaited<ReturnType<typeof startLocalStack>>;
let lambda: LambdaClient;
let dynamo: DynamoDBClient;
let sqs: SQSClient;
const logs: string[] = [];

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'storeline-local-'));
  await writeTinyAssembly(join(dir, 'assembly'), join(dir, 'output.txt'));
  await start();
});

afterAll(async () => {
  await running.close();
  await rm(dir, { recursive: true });
});

async function start(): Promise<void> {
  running = await startLocalStack({
    dir: join(dir, 'data'),
    organization: 'none',
    assembly: join(dir, 'assembly'),
    log: (line) => logs.push(line),
  });
  const { endpoints, region } = running.stack;
  lambda = new LambdaClient({ endpoint: endpoints.lambda, region, credentials });
  dynamo = new DynamoDBClient({ endpoint: endpoints.dynamodb, region, credentials });
  sqs = new SQSClient({ endpoint: endpoints.sqs, region, credentials });
}

async function put(...keys: string[]): Promise<void> {
  for (const key of keys) {
    const Item = { pk: { S: 'p' }, sk: { S: key }, b: { B: new Uint8Array([1, 2, 255]) } };
    await dynamo.send(new PutItemCommand({ TableName: running.stack.tables['source'], Item }));
  }
}

async function lines(): Promise<string[]> {
  const text = await readFile(join(dir, 'output.txt'), 'utf8').catch(() => '');
  return text.split('\n').filter((line) => line !== '');
}

async function messages(queue: string): Promise<string[]> {
  const request = { QueueUrl: running.stack.queues[queue], WaitTimeSeconds: 1, MaxNumberOfMessages: 10 };
  const { Messages = [] } = await sqs.send(new ReceiveMessageCommand(request));
  return Messages.map((message) => message.Body ?? '');
}

async function invoke(event: object): Promise<{ error: string | undefined; payload: Record<string, unknown> }> {
  const answer = await lambda.send(new InvokeCommand({ FunctionName: 'tiny-echo', Payload: JSON.stringify(event) }));
  return { error: answer.FunctionError, payload: JSON.parse(Buffer.from(answer.Payload ?? []).toString()) as Record<string, unknown> };
}

test('records arrive in order and in Lambda’s shape', async () => {
  await put('a1', 'a2', 'a3');
  await running.idle();
  expect(await lines()).toEqual(['a1', 'a2', 'a3'].map((key) => `${key} {"B":"AQL/"}`));
});

test('a reported failure is delivered again from that record on', async () => {
  await put('b1', 'flaky-b2', 'b3');
  await running.idle();
  const seen = (await lines()).map((line) => line.split(' ')[0]).filter((key) => key?.includes('b'));
  expect([...new Set(seen)]).toEqual(['b1', 'flaky-b2', 'b3']);
});

test('a record that always throws is set aside alone; the others arrive, in order', async () => {
  await put('c1', 'c2', 'poison-c3', 'c4', 'c5');
  await running.idle();
  const seen = (await lines()).map((line) => line.split(' ')[0]).filter((key) => key?.startsWith('c'));
  expect([...new Set(seen)]).toEqual(['c1', 'c2', 'c4', 'c5']);
  const [message, ...others] = await messages('stream-failures');
  expect(others).toEqual([]);
  expect(JSON.parse(message ?? '{}')).toMatchObject({
    requestContext: { condition: 'RetryAttemptsExhausted', approximateInvokeCount: 2 },
    DDBStreamBatchInfo: { batchSize: 1, startSequenceNumber: expect.any(String), shardId: expect.any(String) },
  });
  expect(message).not.toContain('poison-c3');
});

test('a message that fails comes back and ends in the dead-letter queue; the others are deleted', async () => {
  for (const MessageBody of ['fine', 'poison-job']) {
    await sqs.send(new SendMessageCommand({ QueueUrl: running.stack.queues['jobs'], MessageBody }));
  }
  await running.idle();
  const seen = (await lines()).filter((line) => line.startsWith('job'));
  expect(seen.filter((line) => line.includes('fine'))).toEqual(['job fine 1']);
  expect(seen.filter((line) => line.includes('poison'))).toEqual(['job poison-job 1', 'job poison-job 2']);
  expect(await messages('job-failures')).toEqual(['poison-job']);
});

test('a call returns, throws, times out or ends its process as Lambda would', async () => {
  expect(await invoke({ hello: 1 })).toMatchObject({ error: undefined, payload: { event: { hello: 1 }, name: 'tiny-echo' } });
  expect(await invoke({ fail: 'so it is' })).toMatchObject({
    error: 'Unhandled',
    payload: { errorType: 'RangeError', errorMessage: 'so it is' },
  });
  expect(await invoke({ sleepMs: 60_000 })).toMatchObject({ error: 'Unhandled', payload: { errorType: 'Sandbox.Timedout' } });
  expect(await invoke({ exit: true })).toMatchObject({ error: 'Unhandled', payload: { errorType: 'Runtime.ExitError' } });
  expect(await invoke({ again: 1 })).toMatchObject({ payload: { event: { again: 1 } } });
  await expect(lambda.send(new InvokeCommand({ FunctionName: 'tiny-nobody' }))).rejects.toMatchObject({
    name: 'ResourceNotFoundException',
  });
  const unsigned = await fetch(`${running.stack.api}/2015-03-31/functions/tiny-echo/invocations`, { method: 'POST', body: '{}' });
  expect(unsigned.status).toBe(403);
});

test('an asynchronous call is answered at once and counted until it has ended', async () => {
  const before = await state();
  await lambda.send(new InvokeCommand({ FunctionName: 'tiny-echo', InvocationType: 'Event', Payload: '{"sleepMs":200}' }));
  expect((await state()).idle).toBe(false);
  await running.idle();
  expect((await state()).invocations['echo']?.count).toBe((before.invocations['echo']?.count ?? 0) + 1);
});

async function state(): Promise<{ idle: boolean; invocations: Record<string, { count: number }> }> {
  return (await (await fetch(`${running.stack.api}/_local/state`)).json()) as never;
}

test('a route gets the event of an HTTP API; other paths are not found and large bodies refused', async () => {
  const post = (path: string, body: string | Uint8Array<ArrayBuffer>, type: string) =>
    fetch(`${running.stack.api}${path}`, { method: 'POST', body, headers: { 'content-type': type, 'X-Mixed-Case': 'Yes' } });
  const text = (await (await post('/v1/echo?a=1&a=2', '{"x":1}', 'application/json')).json()) as { event: Record<string, unknown> };
  expect(text.event).toMatchObject({
    version: '2.0',
    routeKey: 'POST /v1/echo',
    rawQueryString: 'a=1&a=2',
    queryStringParameters: { a: '1,2' },
    headers: { 'x-mixed-case': 'Yes' },
    requestContext: { http: { method: 'POST', path: '/v1/echo', sourceIp: '127.0.0.1' } },
    body: '{"x":1}',
    isBase64Encoded: false,
  });
  const binary = (await (await post('/v1/echo', new Uint8Array([0, 255]), 'application/octet-stream')).json()) as typeof text;
  expect(binary.event).toMatchObject({ body: 'AP8=', isBase64Encoded: true });
  expect((await post('/v1/other', '', 'text/plain')).status).toBe(404);
  expect((await fetch(`${running.stack.api}/v1/echo`)).status).toBe(404);
  expect((await post('/v1/echo', new Uint8Array(11 << 20), 'text/plain')).status).toBe(413);
});

test('a restart goes on where it stopped: nothing is lost and nothing finished comes again', async () => {
  await put('d1');
  await running.idle();
  const before = await lines();
  await running.close();
  await start();
  await put('d2');
  await running.idle();
  expect(await lines()).toEqual([...before, 'd2 {"B":"AQL/"}']);
});

test('one folder, one stack; one port, one stack', async () => {
  const second = startLocalStack({ dir: join(dir, 'data'), organization: 'none', assembly: join(dir, 'assembly'), log: () => {} });
  await expect(second).rejects.toMatchObject({ code: 'LOCAL_STACK', message: expect.stringContaining(String(process.pid)) });
  const port = Number(new URL(running.stack.api).port);
  const third = startLocalStack({ dir: join(dir, 'other'), port, organization: 'none', assembly: join(dir, 'assembly'), log: () => {} });
  await expect(third).rejects.toMatchObject({ code: 'LOCAL_STACK', message: expect.stringContaining(`port ${port}`) });
  expect(JSON.parse(await readFile(join(dir, 'data', 'stack.json'), 'utf8'))).toEqual(running.stack);
});
