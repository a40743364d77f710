/**
 * What a role does not have is refused by the running local stack, in each service's own way, and what it has is let through.
 * The clients here reach the services by the addresses of one function each, as its own client does, and the roles are those of
 * the template that is deployed.
 */
import { randomUUID } from 'node:crypto';
import { cp, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetItemCommand, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import {
  DeleteObjectsCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { StartExecutionCommand } from '@aws-sdk/client-sfn';
import { ReceiveMessageCommand, SendMessageBatchCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { documentClient, s3Client, sfnClient, sqsClient } from '../../functions/aws/clients.ts';
import { makeAssembly, readAssembly } from '../../local/assembly.ts';
import { CREDENTIALS } from '../../local/emulators/credentials.ts';
import { startLocalStack } from '../../local/stack.ts';
import { must } from '../../protocol/assert.ts';
import { costReportSchema } from '../../protocol/local-stack.ts';

interface Resource {
  readonly Type: string;
  readonly Properties?: { readonly PolicyDocument?: { Statement: readonly { readonly Action: unknown }[] } };
}

/** Of a rule: whom it calls, and with what; its own event if that is not said. */
interface Target {
  readonly Arn: { readonly 'Fn::GetAtt': readonly [string, string] };
  readonly Input?: string;
}

let dir: string;
let running: Awaited<ReturnType<typeof startLocalStack>>;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'storeline-permissions-'));
  running = await startLocalStack({ dir, organization: 'demo', log: () => {} });
});
afterEach(() => {
  vi.unstubAllEnvs();
});
afterAll(async () => {
  await running.close();
  await rm(dir, { recursive: true });
});

const KEY = { Key: 'chunks/00/feed/00' };
const DENIED = { name: 'AccessDenied', $metadata: { httpStatusCode: 403 } };
const DENIED_JSON = { name: 'AccessDeniedException', $metadata: { httpStatusCode: 400 } };

/** The client that a function makes of its environment, so of the addresses that are its own; for one test. */
function made<C>(make: () => C, name: string, of = running): C {
  for (const service of ['dynamodb', 's3', 'sqs', 'sfn'] as const)
    vi.stubEnv(`AWS_ENDPOINT_URL_${service.toUpperCase()}`, of.endpointOf(service, name));
  vi.stubEnv('AWS_REGION', of.stack.region);
  vi.stubEnv('AWS_ACCESS_KEY_ID', CREDENTIALS.accessKeyId);
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', CREDENTIALS.secretAccessKey);
  return make();
}
const objectsOf = (name: string, of = running) => made(s3Client, name, of);
const queuesOf = (name: string) => made(sqsClient, name);
const snapshots = () => ({ Bucket: running.stack.buckets['snapshots'] });
const queue = (name: string) => ({ QueueUrl: running.stack.queues[name] });

describe('objects', () => {
  test('who may put, puts; who may only get, gets it', async () => {
    await objectsOf('compact').send(new PutObjectCommand({ ...snapshots(), ...KEY, Body: 'bytes' }));
    const { Body } = await objectsOf('plan').send(new GetObjectCommand({ ...snapshots(), ...KEY }));
    expect(await Body?.transformToString()).toBe('bytes');
  });

  test.each([
    ['plan puts an object', () => objectsOf('plan').send(new PutObjectCommand({ ...snapshots(), ...KEY, Body: 'bytes' }))],
    ['plan gets one of another prefix', () => objectsOf('plan').send(new GetObjectCommand({ ...snapshots(), Key: 'other/00' }))],
    ['compact deletes', () => objectsOf('compact').send(new DeleteObjectsCommand({ ...snapshots(), Delete: { Objects: [KEY] } }))],
    ['contact lists', () => objectsOf('contact').send(new ListObjectsV2Command(snapshots()))],
    ['a call no rule knows', () => objectsOf('compact').send(new GetObjectTaggingCommand({ ...snapshots(), ...KEY }))],
  ])('refused: %s', async (_, call) => {
    await expect(call()).rejects.toMatchObject(DENIED);
  });

  test('a question without an answer’s body is refused as well', async () => {
    await expect(objectsOf('contact').send(new HeadObjectCommand({ ...snapshots(), ...KEY }))).rejects.toMatchObject({
      $metadata: { httpStatusCode: 403 },
    });
  });

  test('an address that was signed is as good as the role of who signed it', async () => {
    const address = (name: string) => getSignedUrl(objectsOf(name), new GetObjectCommand({ ...snapshots(), ...KEY }), { expiresIn: 60 });
    expect((await fetch(await address('plan'))).status).toBe(200);
    expect((await fetch(await address('contact'))).status).toBe(403);
  });

  test('an object that is not there is said to be missing to who may list', async () => {
    await expect(objectsOf('plan').send(new GetObjectCommand({ ...snapshots(), Key: 'chunks/none' }))).rejects.toMatchObject({
      name: 'NoSuchKey',
    });
  });
});

describe('queues', () => {
  const body = (one: string) => ({ MessageBody: JSON.stringify({ replicaId: one }), MessageGroupId: one });
  test('who may send, sends', async () => {
    const { MessageId } = await queuesOf('push').send(new SendMessageCommand({ ...queue('doorbell'), ...body('none') }));
    expect(MessageId).toBeDefined();
  });

  test.each([
    ['contact sends', () => queuesOf('contact').send(new SendMessageCommand({ ...queue('doorbell'), ...body('none') }))],
    ['push sends to another queue', () => queuesOf('push').send(new SendMessageCommand({ ...queue('compaction'), ...body('none') }))],
    [
      'contact sends many',
      () => queuesOf('contact').send(new SendMessageBatchCommand({ ...queue('doorbell'), Entries: [{ Id: '1', ...body('none') }] })),
    ],
    ['a call no rule knows', () => queuesOf('push').send(new ReceiveMessageCommand(queue('doorbell')))],
  ])('refused: %s', async (_, call) => {
    await expect(call()).rejects.toMatchObject(DENIED_JSON);
  });
});

describe('workflows', () => {
  const start = (name: string) =>
    made(sfnClient, name).send(
      new StartExecutionCommand({ stateMachineArn: Object.values(running.stack.workflows)[0], name: `by-${name}`, input: '{"check":0}' }),
    );
  test('who may start one, does', async () => expect((await start('contact')).executionArn).toContain('by-contact'));
  test('refused: push starts one', async () => {
    await expect(start('push')).rejects.toMatchObject(DENIED_JSON);
  });
});

describe('tables', () => {
  const dynamo = (name: string) => made(documentClient, name);
  const get = (pk: string) => new GetItemCommand({ TableName: running.stack.tables['stores'], Key: { pk: { S: pk }, sk: { S: 'x' } } });
  test('a key of its own is read', async () => {
    expect((await dynamo('contact').send(get('store#S1'))).$metadata.httpStatusCode).toBe(200);
  });
  test.each([
    ['a key of another part', () => dynamo('contact').send(get('erasure'))],
    ['a call no rule knows', () => dynamo('contact').send(new ListTablesCommand({}))],
  ])('refused: %s', async (_, call) => {
    await expect(call()).rejects.toMatchObject(DENIED_JSON);
  });
});

describe('schedules', async () => {
  const { template } = await readAssembly(await makeAssembly('demo', () => {}));
  const scheduled = Object.values(template.Resources).flatMap(({ Type, Properties = {} }) =>
    Type !== 'AWS::Events::Rule'
      ? []
      : (Properties['Targets'] as Target[]).map(({ Arn, Input }): [string, object] => [
          String(template.Resources[Arn['Fn::GetAtt'][0]]?.Properties?.['FunctionName']),
          Input === undefined ? { 'detail-type': 'Scheduled Event' } : (JSON.parse(Input) as object),
        ]),
  );

  test('are of several functions', () => expect(scheduled.length).toBeGreaterThan(4));

  test.each(scheduled)('%s may do all that its schedule has it do: %j', async (name, event) => {
    await invoke(running, 'console-api', { op: 'store.add', storeId: `of-${name}` });
    expect(await invoke(running, name, event)).toMatchObject({ error: null });
  });
});

/** By the name of its folder, or as the template names it. */
async function invoke({ stack }: typeof running, name: string, event: object): Promise<{ error: string | null }> {
  const client = new LambdaClient({ endpoint: stack.endpoints.lambda, region: stack.region, credentials: CREDENTIALS });
  const command = new InvokeCommand({ FunctionName: stack.functions[name] ?? name, Payload: JSON.stringify(event) });
  const { FunctionError: failed, Payload } = await client.send(command);
  client.destroy();
  return { error: failed === undefined ? null : new TextDecoder().decode(Payload) };
}

describe('a function whose role lost a permission is refused itself: its own calls go the same way', () => {
  const said: string[] = [];
  let narrowed: typeof running;
  beforeAll(async () => {
    const assembly = await narrowedAssembly({
      watchstores: 'dynamodb:Query',
      freshrun: 'sqs:SendMessage',
      plan: 's3:ListBucket',
    });
    narrowed = await startLocalStack({ dir: join(dir, 'narrowed'), organization: 'demo', assembly, log: (line) => said.push(line) });
  });
  afterAll(() => narrowed.close());

  test('of a table', async () => {
    expect(await invoke(running, 'watch-stores', {})).toMatchObject({ error: null });
    expect((await invoke(narrowed, 'watch-stores', {})).error).toContain('not authorized to perform dynamodb:Query');
    expect(said).toContainEqual(expect.stringContaining('refused: watch-stores is not authorized to perform dynamodb:Query'));
  });

  test('of a queue', async () => {
    const prepare = { step: 'prepare', storeId: 'prepared', runId: randomUUID(), check: 0 };
    for (const one of [running, narrowed]) await invoke(one, 'console-api', { op: 'store.add', storeId: 'prepared' });
    expect(await invoke(running, 'fresh-run', prepare)).toMatchObject({ error: null });
    expect((await invoke(narrowed, 'fresh-run', prepare)).error).toContain('not authorized to perform sqs:SendMessage');
    const cost = costReportSchema.parse(await (await fetch(`${running.stack.api}/_local/cost`)).json());
    expect(cost.operations.find(({ name }) => name === 'fresh-run')?.counts['sqs.requests']).toBeGreaterThan(0);
  });

  test('of a bucket: that an object is not there is not told either', async () => {
    const none = new GetObjectCommand({ Bucket: narrowed.stack.buckets['snapshots'], Key: 'chunks/none' });
    await expect(objectsOf('plan', narrowed).send(none)).rejects.toMatchObject(DENIED);
  });
});

/** The demo's, without one action of the roles named. */
async function narrowedAssembly(lost: Readonly<Record<string, string>>): Promise<string> {
  const folder = join(dir, 'assembly');
  await cp(await makeAssembly('demo', () => {}), folder, { recursive: true });
  const [file = ''] = (await readdir(folder)).filter((name) => name.endsWith('.template.json'));
  const template = JSON.parse(await readFile(join(folder, file), 'utf8')) as { Resources: Record<string, Resource> };
  for (const [role, action] of Object.entries(lost)) {
    const [, policy] = Object.entries(template.Resources).find(([id]) => id.startsWith(`Functions${role}roleDefaultPolicy`)) ?? [];
    const document = must(policy?.Properties?.PolicyDocument, `the role of ${role} has a policy`);
    document.Statement = document.Statement.filter(({ Action }) => !JSON.stringify(Action).includes(`"${action}"`));
  }
  await writeFile(join(folder, file), JSON.stringify(template));
  return folder;
}
