/**
 * The functions: one per `functions/<name>/handler.ts`, each with a role that can do nothing yet.
 */
import { join } from 'node:path';
import { Duration, Stack, Validations } from 'aws-cdk-lib';
import { Effect, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, Code, Function as LambdaFunction, type IFunction, RecursiveLoop, Runtime, Tracing } from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Key } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { must } from '../../protocol/assert.ts';
import type { Organization } from '../../protocol/organization.ts';
import { APPLY_TIMEOUT, COMPACT_TIMEOUT, type Data, RESCOPE_TIMEOUT } from './data.ts';
import { freshWorkflowArn } from './fresh-workflow.ts';
import { logGroupProps } from './log-group.ts';
import { useOfKey } from './own-key.ts';
import { SyncError } from '../../protocol/sync-error.ts';
import type { People } from './people.ts';

/** An HTTP API gives up after 30 s, so an answer after that has no reader. */
const HTTP_TIMEOUT = Duration.seconds(29);

interface FunctionSize {
  /** Memory also buys processor: 1,769 MB is one whole core. */
  readonly memorySize: number;
  readonly timeout: Duration;
  readonly environment: readonly EnvironmentName[];
}

type EnvironmentName =
  | 'RECORDS_TABLE'
  | 'FEEDS_TABLE'
  | 'STORES_TABLE'
  | 'AUDIT_TABLE'
  | 'SNAPSHOTS_BUCKET'
  | 'COMPACTION_QUEUE_URL'
  | 'UPLOADS_TABLE'
  | 'UPLOADS_BUCKET'
  | 'DOORBELL_QUEUE_URL'
  | 'RESCOPE_QUEUE_URL'
  | 'FRESH_WORKFLOW_ARN'
  | 'OIDC_ISSUER'
  | 'OIDC_AUDIENCE';

/** Also how long a step of the fresh workflow may take. */
export const FRESH_RUN_TIMEOUT = Duration.seconds(60);

const SIZES = {
  // 1,000 records of up to 6 MB twice over as text and objects, and one transaction per page of a feed.
  'feed-writer': {
    memorySize: 1024,
    timeout: Duration.seconds(60),
    environment: ['RECORDS_TABLE', 'FEEDS_TABLE', 'STORES_TABLE', 'COMPACTION_QUEUE_URL', 'RESCOPE_QUEUE_URL'],
  },
  // All records of a customer at once: a few hundred.
  rescope: { memorySize: 512, timeout: RESCOPE_TIMEOUT, environment: ['RECORDS_TABLE', 'RESCOPE_QUEUE_URL'] },
  // 250,000 changes in memory plus chunks of ~40 MB parsed, packed on two cores.
  compact: { memorySize: 3008, timeout: COMPACT_TIMEOUT, environment: ['FEEDS_TABLE', 'SNAPSHOTS_BUCKET', 'COMPACTION_QUEUE_URL'] },
  // One transaction; the memory is for a quick first start.
  enrol: { memorySize: 512, timeout: Duration.seconds(10), environment: ['STORES_TABLE'] },
  // 3 MB of pages and 64 signatures in an answer.
  plan: {
    memorySize: 1024,
    timeout: HTTP_TIMEOUT,
    environment: ['FEEDS_TABLE', 'STORES_TABLE', 'UPLOADS_TABLE', 'SNAPSHOTS_BUCKET', 'COMPACTION_QUEUE_URL'],
  },
  report: { memorySize: 512, timeout: HTTP_TIMEOUT, environment: ['FEEDS_TABLE', 'STORES_TABLE'] },
  // An object of 10,000 operations, 8 MB of lines, checked by their chain; one transaction.
  push: {
    memorySize: 1024,
    timeout: HTTP_TIMEOUT,
    environment: ['STORES_TABLE', 'UPLOADS_TABLE', 'UPLOADS_BUCKET', 'DOORBELL_QUEUE_URL'],
  },
  // One customer with a few bills.
  lookup: { memorySize: 512, timeout: HTTP_TIMEOUT, environment: ['RECORDS_TABLE', 'STORES_TABLE'] },
  // One redemption judged and written in one transaction, while a customer waits: a whole core halves the first start.
  redeem: { memorySize: 1769, timeout: HTTP_TIMEOUT, environment: ['RECORDS_TABLE', 'STORES_TABLE'] },
  fork: { memorySize: 512, timeout: Duration.seconds(10), environment: ['STORES_TABLE'] },
  'rotate-key': { memorySize: 512, timeout: Duration.seconds(10), environment: ['STORES_TABLE'] },
  // 99 operations with what they are judged by, 4 MB at most, and the 8 MB of lines of an object that they are of.
  apply: {
    memorySize: 1024,
    timeout: APPLY_TIMEOUT,
    environment: ['RECORDS_TABLE', 'STORES_TABLE', 'UPLOADS_TABLE', 'UPLOADS_BUCKET', 'DOORBELL_QUEUE_URL'],
  },
  // A chunk of 32,000 rows parsed, and as many records of main data read and raised.
  rebuild: {
    memorySize: 1769,
    timeout: Duration.minutes(5),
    environment: ['RECORDS_TABLE', 'FEEDS_TABLE', 'STORES_TABLE', 'SNAPSHOTS_BUCKET'],
  },
  // Compacts what it lets forget, as `compact` does, and lists the bucket once a day: a million objects in two minutes.
  erase: {
    memorySize: 3008,
    timeout: Duration.minutes(15),
    environment: ['RECORDS_TABLE', 'FEEDS_TABLE', 'STORES_TABLE', 'UPLOADS_TABLE', 'SNAPSHOTS_BUCKET'],
  },
  // A store's feeds read, and a message for each that has no snapshot.
  'fresh-run': {
    memorySize: 512,
    timeout: FRESH_RUN_TIMEOUT,
    environment: ['FEEDS_TABLE', 'STORES_TABLE', 'UPLOADS_TABLE', 'RECORDS_TABLE', 'COMPACTION_QUEUE_URL', 'DOORBELL_QUEUE_URL'],
  },
  // A few reads, every minute of every store.
  contact: {
    memorySize: 512,
    timeout: HTTP_TIMEOUT,
    environment: ['FEEDS_TABLE', 'STORES_TABLE', 'UPLOADS_TABLE', 'RECORDS_TABLE', 'FRESH_WORKFLOW_ARN'],
  },
  // Thousands of rows once an hour.
  'watch-stores': { memorySize: 512, timeout: Duration.seconds(60), environment: ['STORES_TABLE'] },
  // One row every five minutes; while something is on trial the runs of up to 50 stores, a few hundred of each.
  'watch-rollout': { memorySize: 512, timeout: Duration.seconds(60), environment: ['STORES_TABLE'] },
  // 500 records of up to 4 MB read, judged and written in transactions.
  'console-api': {
    memorySize: 1024,
    timeout: Duration.seconds(60),
    environment: ['RECORDS_TABLE', 'FEEDS_TABLE', 'STORES_TABLE', 'AUDIT_TABLE', 'UPLOADS_TABLE'],
  },
  // The same for people with a token, whose signature is checked first.
  console: {
    memorySize: 1024,
    timeout: HTTP_TIMEOUT,
    environment: ['RECORDS_TABLE', 'FEEDS_TABLE', 'STORES_TABLE', 'AUDIT_TABLE', 'UPLOADS_TABLE', 'OIDC_ISSUER', 'OIDC_AUDIENCE'],
  },
} as const satisfies Record<string, FunctionSize>;

/** Work goes on by a message to the queue it came from; Lambda would stop that after sixteen messages of one chain. */
const RING_THEMSELVES: readonly string[] = ['apply', 'compact', 'rescope'];

export type FunctionName = keyof typeof SIZES;
export const FUNCTION_NAMES = Object.keys(SIZES) as FunctionName[];

interface FunctionsProps {
  readonly organization: Organization;
  readonly key: Key | undefined;
  readonly data: Data;
  readonly people: People;
  /** Folder with a folder per function. */
  readonly bundles: string;
}

export class Functions extends Construct {
  readonly #functions = new Map<FunctionName, IFunction>();
  readonly #roles = new Map<FunctionName, Role>();
  readonly #logGroups = new Map<FunctionName, LogGroup>();

  constructor(scope: Construct, id: string, props: FunctionsProps) {
    super(scope, id);
    refuseUnknown(Object.keys(props.organization.reservedConcurrency));
    for (const name of FUNCTION_NAMES) this.#functions.set(name, this.#function(name, props));
  }

  get(name: FunctionName): IFunction {
    return must(this.#functions.get(name), `function ${name} exists`);
  }

  role(name: FunctionName): Role {
    return must(this.#roles.get(name), `function ${name} has a role`);
  }

  logGroup(name: FunctionName): LogGroup {
    return must(this.#logGroups.get(name), `function ${name} has a log`);
  }

  #function(name: FunctionName, { organization, key, data, people, bundles }: FunctionsProps): LambdaFunction {
    const { memorySize, timeout, environment } = SIZES[name];
    const logGroup = new LogGroup(this, `${name}-logs`, logGroupProps({ organization, key }));
    this.#logGroups.set(name, logGroup);
    const role = new Role(this, `${name}-role`, { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    this.#roles.set(name, role);
    logGroup.grantWrite(role);
    role.addToPolicy(
      new PolicyStatement({
        effect: Effect.ALLOW,
        actions: ['xray:PutTraceSegments', 'xray:PutTelemetryRecords'],
        resources: ['*'],
      }),
    );
    if (key !== undefined) role.addToPolicy(useOfKey(this, key));
    const reserved = organization.reservedConcurrency[name];
    const made = new LambdaFunction(this, name, {
      // Named, so that the command line finds it by organization.
      functionName: `${Stack.of(this).stackName}-${name}`,
      code: Code.fromAsset(join(bundles, name)),
      handler: 'index.handler',
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      memorySize,
      timeout,
      // What it may do is written in one place; what triggers and queues would add by themselves is not.
      role: role.withoutPolicyUpdates(),
      logGroup,
      tracing: Tracing.ACTIVE,
      ...(RING_THEMSELVES.includes(name) ? { recursiveLoop: RecursiveLoop.ALLOW } : {}),
      ...(reserved === undefined ? {} : { reservedConcurrentExecutions: reserved }),
      environment: {
        ...pick(environmentOf(data, people, freshWorkflowArn(this)), environment),
        ORGANIZATION: settingsOf(organization),
      },
    });
    acknowledge(made, role);
    return made;
  }
}

/** A function's environment has 4 KB; names and addresses of what it works with take less than 1,100 of them. */
const SETTINGS_BYTES_MAX = 3_000;

/** Without what only operation needs: another address for alarms must not make every function start anew. */
function settingsOf(organization: Organization): string {
  const {
    account: ______,
    alarmEmail: _,
    monthlyBudgetUsd: __,
    ownKey: ___,
    logDays: ____,
    reservedConcurrency: _____,
    ...settings
  } = organization;
  const text = JSON.stringify(settings);
  if (Buffer.byteLength(text) > SETTINGS_BYTES_MAX)
    throw new SyncError(
      'INVALID_INPUT',
      `the settings of ${organization.name} have more than ${SETTINGS_BYTES_MAX} bytes, which is all that a function can be told: name fewer canary stores`,
    );
  return text;
}

function refuseUnknown(names: readonly string[]): void {
  const unknown = names.filter((name) => !(name in SIZES));
  if (unknown.length > 0)
    throw new SyncError(
      'INVALID_INPUT',
      `reservedConcurrency: there is no function ${unknown.join(', ')}; they are: ${FUNCTION_NAMES.join(', ')}`,
    );
}

function acknowledge(made: LambdaFunction, role: Role): void {
  Validations.of(role).acknowledge({
    id: 'AwsSolutions-IAM5[Resource::*]',
    reason: 'X-Ray takes trace segments for no resource in particular; the two actions can only add.',
  });
  const reason = 'Nothing is lost when an asynchronous call fails: only the schedule calls that way, and its next turn does the same work.';
  Validations.of(made).acknowledge({ id: 'Serverless-LambdaDLQ', reason }, { id: 'Serverless-LambdaAsyncFailureDestination', reason });
}

function environmentOf(data: Data, people: People, freshWorkflow: string): Record<EnvironmentName, string> {
  return {
    RECORDS_TABLE: data.records.tableName,
    FEEDS_TABLE: data.feeds.tableName,
    STORES_TABLE: data.stores.tableName,
    AUDIT_TABLE: data.audit.tableName,
    SNAPSHOTS_BUCKET: data.snapshots.bucketName,
    COMPACTION_QUEUE_URL: data.compaction.queueUrl,
    UPLOADS_TABLE: data.uploads.tableName,
    UPLOADS_BUCKET: data.uploadObjects.bucketName,
    DOORBELL_QUEUE_URL: data.doorbell.queueUrl,
    RESCOPE_QUEUE_URL: data.rescope.queueUrl,
    FRESH_WORKFLOW_ARN: freshWorkflow,
    OIDC_ISSUER: people.issuer,
    OIDC_AUDIENCE: people.audience,
  };
}

function pick(values: Record<EnvironmentName, string>, names: readonly EnvironmentName[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, values[name]]));
}
