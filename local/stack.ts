/**
 * The whole cloud of one organization in one process: emulators, functions, HTTP front, pollers and schedules, all
 * wired from the synthesized template and running the bundles that would be deployed.
 *
 * Tables, streams, objects, running workflows and the places in the streams stay in `dir` over restarts and crashes; queue messages do
 * not, which the design allows. One stack per folder.
 */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { devNull } from 'node:os';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { must } from '../protocol/assert.ts';
import type { LocalStack, LocalState } from '../protocol/local-stack.ts';
import { WAIT_AN_HOUR } from '../protocol/messages/fresh-run.ts';
import { SyncError } from '../protocol/sync-error.ts';
import { type Assembly, makeAssembly, readAssembly } from './assembly.ts';
import { CREDENTIALS } from './emulators/credentials.ts';
import { watchDisk } from './disk-watch.ts';
import { type DynamoEmulator, startDynamo } from './emulators/dynamodb.ts';
import { type OidcEmulator, startOidc } from './emulators/oidc.ts';
import { type S3Emulator, startS3 } from './emulators/s3.ts';
import { Executions } from './emulators/executions.ts';
import { type SqsEmulator, startSqs } from './emulators/sqs.ts';
import { type StepFunctionsEmulator, startStepFunctions } from './emulators/step-functions.ts';
import { QueuePoller } from './events/queue-poller.ts';
import { startSchedules } from './events/schedules.ts';
import { StreamPoller } from './events/stream-poller.ts';
import { StreamReader } from './events/stream-reader.ts';
import { startCountingProxy } from './cost/counting-proxy.ts';
import { CostMeter } from './cost/meter.ts';
import { LocalFunctions } from './runner/local-functions.ts';
import { consolePage } from './http/console-page.ts';
import { type Front, startFront } from './http/front.ts';
import type { GuardedService } from './access/denial.ts';
import { guardOf } from './access/guard.ts';
import { requireTriggers } from './access/triggers.ts';
import { StateFile } from './state-file.ts';
import { createTables } from './tables.ts';
import { type FunctionDefinition, type Wiring, outputsOf, wire } from './wiring.ts';

interface Options {
  /** Where everything is kept. */
  readonly dir: string;
  /** A free one when left out. */
  readonly port?: number;
  /** A name of `orgs/` or the path of a JSON file. */
  readonly organization: string;
  /** How long the hour of the fresh workflow and of a rollout is here. */
  readonly hourMs?: number;
  readonly log: (message: string) => void;
  /** Folder of a cloud assembly to run instead of the organization's. */
  readonly assembly?: string;
}

interface RunningStack {
  readonly stack: LocalStack;
  /** Where a function reaches a service: with the permissions of its role. */
  endpointOf(service: GuardedService, name: string): string;
  /** Resolves when everything written so far has gone through the streams and queues. */
  idle(): Promise<void>;
  close(): Promise<void>;
}

interface Emulators {
  readonly dynamo: DynamoEmulator;
  readonly s3: S3Emulator;
  readonly sqs: SqsEmulator;
  readonly sfn: StepFunctionsEmulator;
  readonly oidc: OidcEmulator;
}

export async function startLocalStack(options: Options): Promise<RunningStack> {
  await using opening = new AsyncDisposableStack();
  const dir = resolve(options.dir);
  const { log } = options;
  await makeFolders(dir);
  const state = opening.adopt(new StateFile(dir), (file) => file.close());
  await rm(join(dir, 'stack.json'), { force: true });
  const front = opening.adopt(await startFront(options.port ?? 0, log), (one) => one.close());
  const making = options.assembly === undefined ? makeAssembly(options.organization, log) : Promise.resolve(options.assembly);
  const endpoint = process.env['AWS_ENDPOINT_URL_DYNAMODB'];
  const dynamo = opening.adopt(await startDynamo({ folder: dir, endpoint, log }), (one) => one.close());
  const s3 = opening.adopt(await startS3(dir, log), (one) => one.close());
  const assembly = await readAssembly(await making);
  const sqs = opening.adopt(await startSqs(assembly.region), (one) => one.close());
  const sfn = opening.adopt(await startStepFunctions(log), (one) => one.close());
  const oidc = opening.adopt(await startOidc(), (one) => one.close());
  const emulators = { dynamo, s3, sqs, sfn, oidc };
  const meter = new CostMeter();
  const targets = { dynamodb: dynamo.endpoint, s3: s3.endpoint, sqs: sqs.endpoint, sfn: sfn.endpoint };
  const proxy = opening.adopt(await startCountingProxy(targets, meter), (one) => one.close());
  const place = {
    stackName: assembly.stackName,
    region: assembly.region,
    apiOrigin: front.origin,
    sqsOrigin: sqs.endpoint,
    oidcIssuer: oidc.issuer,
  };
  const wiring = wire({ template: assembly.template, place, assetFolder: assembly.assetFolder });
  requireTriggers(wiring);

  proxy.guard(guardOf(wiring.functions, log));
  oidc.open({ audience: wiring.outputs['IdentityAudience'] ?? 'storeline', clientId: signInClient(wiring) });

  const functions = localFunctions({
    wiring: { ...wiring, functions: wiring.functions.map((one) => withProvider(one, oidc)) },
    meter,
    region: assembly.region,
    logs: join(dir, 'logs'),
    endpoint: (service, name) => proxy.endpoint(service, name),
    hourMs: options.hourMs,
  });
  opening.defer(() => functions.close());
  opening.adopt(watchDisk(dir, log), (watch) => watch.close());
  const { streamPollers } = await startEvents({ opening, assembly, emulators, functions, wiring, state, log, hourMs: options.hourMs });
  const executions = new Executions({
    machines: wiring.stateMachines,
    state,
    functions,
    waits: options.hourMs === undefined ? {} : { [WAIT_AN_HOUR]: options.hourMs },
    onTransition: ({ name }) => meter.count('states.transitions', 1, { operation: name }),
    log,
  });
  opening.adopt(executions, (all) => all.close());
  sfn.open(executions);
  const readState = () => localState({ streamPollers, executions, wiring, functions, sqs });

  const stack = describe({ assembly, wiring, emulators, front });
  const page = () => consolePage(stack.organization, (request) => callConsole(functions, wiring, request));
  front.open({ functions, routes: wiring.routes, state: readState, page, meter });
  await writeStackFile(dir, stack);
  opening.defer(() => rm(join(dir, 'stack.json'), { force: true }));
  const closing = opening.move();
  return {
    stack,
    endpointOf: (service, name) => proxy.endpoint(service, name),
    idle: async () => {
      while (!(await readState()).idle) await sleep(50);
    },
    close: () => closing.disposeAsync(),
  };
}

interface FunctionParts {
  readonly wiring: Wiring;
  readonly meter: CostMeter;
  readonly region: string;
  readonly logs: string;
  /** Of a service, counted for a function. */
  readonly endpoint: (service: GuardedService, name: string) => string;
  readonly hourMs: number | undefined;
}

function localFunctions({ wiring, meter, region, logs, endpoint, hourMs }: FunctionParts): LocalFunctions {
  return new LocalFunctions({
    functions: wiring.functions,
    environment: (name) => ({
      ...sdkEnvironment((service) => endpoint(service, name), region),
      ...(hourMs === undefined ? {} : { HOUR_MS: String(hourMs) }),
    }),
    onInvoked: ({ name, gbMs }) => {
      meter.count('lambda.requests', 1, { operation: name });
      meter.count('lambda.gbMs', gbMs, { operation: name });
    },
    logs,
    single: new Set(wiring.streamMappings.map((mapping) => mapping.function.name)),
  });
}

interface EventParts {
  readonly opening: AsyncDisposableStack;
  readonly assembly: Assembly;
  readonly emulators: Emulators;
  readonly functions: LocalFunctions;
  readonly wiring: Wiring;
  readonly state: StateFile;
  readonly log: (message: string) => void;
  readonly hourMs: number | undefined;
}

/** Makes what the template says should exist and starts what feeds the functions. */
async function startEvents({ opening, assembly, emulators, functions, wiring, state, log, hourMs }: EventParts) {
  const { dynamo, s3, sqs } = emulators;
  const { region } = assembly;
  const sdk = { endpoint: dynamo.endpoint, region, credentials: CREDENTIALS };
  const tables = new DynamoDBClient(sdk);
  const streamsClient = opening.adopt(new DynamoDBStreamsClient(sdk), (client) => client.destroy());
  const streams = await createTables(tables, wiring.tables).finally(() => tables.destroy());
  dynamo.indexStreams();
  await s3.createBuckets(wiring.buckets);
  await sqs.createQueues(wiring.queues);
  const streamPollers = wiring.streamMappings.map((mapping) => {
    const stream = must(streams.get(mapping.table.name), `table ${mapping.table.name} has a stream`);
    const reader = new StreamReader({ client: streamsClient, state, stream, eventSourceARN: mapping.table.streamArn, region });
    return new StreamPoller({ mapping, reader, functions, sqs: sqs.client, log });
  });
  const queuePollers = wiring.queueMappings.map((mapping) => new QueuePoller({ mapping, functions, client: sqs.client, region, log }));
  const schedules = startSchedules({ schedules: wiring.schedules, functions, region, hourMs });
  opening.defer(async () => {
    schedules.close();
    // A running invocation is cut off: its batch was not finished and comes again at the next start.
    const closed = [...streamPollers, ...queuePollers].map((poller) => poller.close());
    await functions.close();
    await Promise.all(closed);
  });
  return { streamPollers };
}

interface StateParts {
  readonly executions: Executions;
  readonly streamPollers: readonly StreamPoller[];
  readonly wiring: Wiring;
  readonly functions: LocalFunctions;
  readonly sqs: SqsEmulator;
}

/** Streams first: what they hold may still send messages. */
async function localState({ streamPollers, executions, wiring, functions, sqs }: StateParts): Promise<LocalState> {
  const pending: Record<string, number> = {};
  const short = new Map(wiring.functions.map(({ name, shortName }) => [name, shortName]));
  const add = (name: string, count: number) => {
    const key = short.get(name) ?? name;
    pending[key] = (pending[key] ?? 0) + count;
  };
  for (const poller of streamPollers) add(poller.name, await poller.pending());
  for (const mapping of wiring.queueMappings) add(mapping.function.name, await sqs.countMessages(mapping.queue));
  pending['asynchronous'] = functions.asyncCalls;
  pending['workflows'] = executions.busy;
  const invocations = Object.fromEntries(Object.entries(functions.stats()).map(([name, stats]) => [short.get(name) ?? name, stats]));
  return { idle: Object.values(pending).every((count) => count === 0), pending, invocations };
}

async function callConsole(functions: LocalFunctions, wiring: Wiring, request: object): Promise<unknown> {
  const name = outputsOf(wiring.outputs, 'Function')['console-api'];
  if (name === undefined) throw new SyncError('LOCAL_STACK', 'the template has no console function');
  const { result } = await functions.invoke(name, JSON.stringify(request));
  if (!result.ok) throw new SyncError('LOCAL_STACK', result.error.errorMessage);
  return JSON.parse(result.payload) as unknown;
}

interface DescribeParts {
  readonly assembly: Assembly;
  readonly wiring: Wiring;
  readonly emulators: Emulators;
  readonly front: Front;
}

function describe({ assembly, wiring, emulators, front }: DescribeParts): LocalStack {
  return {
    ready: true,
    pid: process.pid,
    organization: wiring.outputs['Organization'] ?? assembly.stackName,
    region: assembly.region,
    api: front.origin,
    console: `${front.origin}/console`,
    endpoints: {
      dynamodb: emulators.dynamo.endpoint,
      s3: emulators.s3.endpoint,
      sqs: emulators.sqs.endpoint,
      lambda: front.origin,
      sfn: emulators.sfn.endpoint,
    },
    tables: outputsOf(wiring.outputs, 'Table'),
    buckets: outputsOf(wiring.outputs, 'Bucket'),
    queues: outputsOf(wiring.outputs, 'Queue'),
    functions: outputsOf(wiring.outputs, 'Function'),
    workflows: outputsOf(wiring.outputs, 'Workflow'),
    identity: { issuer: emulators.oidc.issuer, secrets: { ...emulators.oidc.secrets }, clientId: signInClient(wiring) },
  };
}

/** An organization's own identity provider is somewhere else; here this machine's stands in for it. */
function withProvider(definition: FunctionDefinition, { issuer }: OidcEmulator): FunctionDefinition {
  const { environment } = definition;
  return 'OIDC_ISSUER' in environment ? { ...definition, environment: { ...environment, OIDC_ISSUER: issuer } } : definition;
}

function signInClient({ outputs }: Wiring): string {
  return outputs['IdentityClientId'] ?? 'storeline';
}

function sdkEnvironment(endpoint: (service: GuardedService) => string, region: string): Record<string, string> {
  return {
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    AWS_ENDPOINT_URL_DYNAMODB: endpoint('dynamodb'),
    AWS_ENDPOINT_URL_S3: endpoint('s3'),
    AWS_ENDPOINT_URL_SQS: endpoint('sqs'),
    AWS_ENDPOINT_URL_SFN: endpoint('sfn'),
    // Nothing of the user's own AWS settings.
    AWS_CONFIG_FILE: devNull,
    AWS_SHARED_CREDENTIALS_FILE: devNull,
    AWS_EC2_METADATA_DISABLED: 'true',
    NODE_ENV: 'production',
    ...compileCache(),
  };
}

/** Of this process: a function has up to four threads, and all its threads the same bundle. */
function compileCache(): Record<string, string> {
  const folder = process.env['NODE_COMPILE_CACHE'];
  return folder === undefined ? {} : { NODE_COMPILE_CACHE: folder };
}

async function makeFolders(dir: string): Promise<void> {
  try {
    await mkdir(join(dir, 'logs'), { recursive: true });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new SyncError(code === 'ENOSPC' ? 'STORAGE_FULL' : 'LOCAL_STACK', `${dir} cannot be used: ${message}`, { cause: error });
  }
}

/** Renamed into place: whoever reads it reads all of it. */
async function writeStackFile(dir: string, stack: LocalStack): Promise<void> {
  const file = join(dir, 'stack.json');
  await writeFile(`${file}.new`, `${JSON.stringify(stack, null, 2)}\n`);
  await rename(`${file}.new`, file);
}
