/**
 * What the template says is connected to what, as plain values. Everything the local stack starts comes from here, so
 * that a table, a route or a retry setting is written once, in `infra/`.
 */
import { join } from 'node:path';
import * as z from 'zod';
import { SyncError } from '../protocol/sync-error.ts';
import { type Statement, statementSchema } from './access/statement.ts';
import { type StateMachineDefinition, stateMachineSchema } from './state-machine.ts';
import { type Place, type Template, createResolver, kebabCase } from './template.ts';

const keySchema = z.array(z.object({ AttributeName: z.string(), KeyType: z.enum(['HASH', 'RANGE']) }));
const tableSchema = z.object({
  KeySchema: keySchema,
  AttributeDefinitions: z.array(z.object({ AttributeName: z.string(), AttributeType: z.enum(['S', 'N', 'B']) })),
  StreamSpecification: z.object({ StreamViewType: z.enum(['NEW_AND_OLD_IMAGES', 'NEW_IMAGE', 'OLD_IMAGE', 'KEYS_ONLY']) }).optional(),
  GlobalSecondaryIndexes: z
    .array(
      z.object({
        IndexName: z.string(),
        KeySchema: keySchema,
        Projection: z.object({ ProjectionType: z.enum(['ALL', 'KEYS_ONLY', 'INCLUDE']), NonKeyAttributes: z.array(z.string()).optional() }),
      }),
    )
    .optional(),
  LocalSecondaryIndexes: z.undefined('indexes are not supported by the local stack').optional(),
});
const queueSchema = z.object({
  VisibilityTimeout: z.number().default(30),
  MessageRetentionPeriod: z.number().default(345_600),
  RedrivePolicy: z.object({ deadLetterTargetArn: z.string(), maxReceiveCount: z.number() }).optional(),
});
const functionSchema = z.object({
  Handler: z.string(),
  Timeout: z.number().default(3),
  MemorySize: z.number().default(128),
  Code: z.object({ S3Key: z.string() }),
  Role: z.string().optional(),
  Environment: z.object({ Variables: z.record(z.string(), z.string()) }).default({ Variables: {} }),
});
/** What else a role may have, gives it more or less than its policies say. */
const roleSchema = z.strictObject({ AssumeRolePolicyDocument: z.unknown(), Tags: z.unknown().optional() });
const policySchema = z.object({ Roles: z.array(z.string()), PolicyDocument: z.object({ Statement: z.array(statementSchema) }) });
const mappingSchema = z.object({
  EventSourceArn: z.string(),
  FunctionName: z.string(),
  BatchSize: z.number().optional(),
  BisectBatchOnFunctionError: z.boolean().default(false),
  MaximumRetryAttempts: z.number().default(-1),
  MaximumRecordAgeInSeconds: z.number().default(-1),
  StartingPosition: z.literal('TRIM_HORIZON', 'only TRIM_HORIZON is supported by the local stack').optional(),
  ParallelizationFactor: z.literal(1, 'only one batch at a time is supported by the local stack').default(1),
  FunctionResponseTypes: z.array(z.string()).default([]),
  ScalingConfig: z.object({ MaximumConcurrency: z.number() }).optional(),
  DestinationConfig: z.object({ OnFailure: z.object({ Destination: z.string() }) }).optional(),
});
const ruleSchema = z.object({
  ScheduleExpression: z.string(),
  Targets: z.array(z.object({ Arn: z.string(), Input: z.string().optional() })),
});
const integrationSchema = z.object({ IntegrationUri: z.string(), PayloadFormatVersion: z.literal('2.0') });
const routeSchema = z.object({ RouteKey: z.string(), Target: z.string() });

export interface TableDefinition {
  readonly name: string;
  readonly streamArn: string;
  readonly properties: z.infer<typeof tableSchema>;
}

export interface QueueDefinition {
  readonly name: string;
  readonly url: string;
  readonly arn: string;
  readonly attributes: Readonly<Record<string, string>>;
}

export interface FunctionDefinition {
  readonly name: string;
  /** Of its folder, by the outputs: what costs are counted by and addresses are named. */
  readonly shortName: string;
  readonly arn: string;
  /** Folder of the bundle. */
  readonly folder: string;
  readonly handler: string;
  readonly timeoutMs: number;
  readonly memoryMb: number;
  readonly environment: Readonly<Record<string, string>>;
  /** What its role allows; null: it has no role in the template. */
  readonly permissions: readonly Statement[] | null;
}

export interface StreamMapping {
  readonly table: TableDefinition;
  readonly function: FunctionDefinition;
  readonly onFailure: QueueDefinition | null;
  readonly batchSize: number;
  readonly bisect: boolean;
  readonly reportItemFailures: boolean;
  /** -1: for as long as the record lives. */
  readonly retryAttempts: number;
  readonly recordAgeMaxMs: number;
}

export interface QueueMapping {
  readonly queue: QueueDefinition;
  readonly function: FunctionDefinition;
  readonly batchSize: number;
  readonly reportItemFailures: boolean;
  readonly concurrency: number;
}

export interface ScheduleDefinition {
  readonly arn: string;
  readonly function: FunctionDefinition;
  readonly everyMs: number;
  readonly input: string | null;
}

export interface RouteDefinition {
  /** As in the template: `POST /v1/plan`. */
  readonly key: string;
  readonly function: FunctionDefinition;
}

export interface Wiring {
  readonly tables: readonly TableDefinition[];
  readonly buckets: readonly string[];
  readonly queues: readonly QueueDefinition[];
  readonly functions: readonly FunctionDefinition[];
  readonly streamMappings: readonly StreamMapping[];
  readonly queueMappings: readonly QueueMapping[];
  readonly schedules: readonly ScheduleDefinition[];
  readonly routes: readonly RouteDefinition[];
  readonly stateMachines: readonly StateMachineDefinition[];
  readonly outputs: Readonly<Record<string, string>>;
}

interface WiringInput {
  readonly template: Template;
  readonly place: Place;
  /** Folder of the bundle under an object key of the assets bucket. */
  readonly assetFolder: (objectKey: string) => string;
}

export function wire({ template, place, assetFolder }: WiringInput): Wiring {
  const resolver = createResolver(template, place);
  const all = <S extends z.ZodType, T>(types: string[], schema: S, make: (id: string, properties: z.infer<S>) => T): T[] =>
    Object.entries(template.Resources)
      .filter(([, { Type }]) => types.includes(Type))
      .map(([id, resource]) => make(id, parseProperties(id, schema, resolver.resolve(resource.Properties ?? {}))));

  const tables = all(['AWS::DynamoDB::Table', 'AWS::DynamoDB::GlobalTable'], tableSchema, (id, properties) => ({
    name: resolver.nameOf(id),
    streamArn: resolver.attribute(id, 'StreamArn'),
    properties,
  }));
  const buckets = all(['AWS::S3::Bucket'], z.unknown(), (id) => resolver.nameOf(id));
  const queues = all(['AWS::SQS::Queue'], queueSchema, (id, properties) => ({
    name: resolver.nameOf(id),
    url: resolver.attribute(id, 'QueueUrl'),
    arn: resolver.attribute(id, 'Arn'),
    attributes: queueAttributes(properties),
  }));
  all(['AWS::IAM::Role'], roleSchema, () => null);
  const policies = all(['AWS::IAM::Policy'], policySchema, (_, properties) => properties);
  const outputs = Object.fromEntries(
    Object.entries(template.Outputs ?? {}).map(([name, { Value }]) => [name, String(resolver.resolve(Value))]),
  );
  const shortNames = new Map(Object.entries(outputsOf(outputs, 'Function')).map(([short, name]) => [name, short]));
  const functions = all(['AWS::Lambda::Function'], functionSchema, (id, properties) => ({
    name: resolver.nameOf(id),
    shortName: shortNames.get(resolver.nameOf(id)) ?? resolver.nameOf(id),
    arn: resolver.attribute(id, 'Arn'),
    folder: assetFolder(properties.Code.S3Key),
    handler: properties.Handler,
    timeoutMs: properties.Timeout * 1_000,
    memoryMb: properties.MemorySize,
    environment: properties.Environment.Variables,
    permissions: properties.Role === undefined ? null : permissionsOf(properties.Role, policies),
  }));
  const parts = { tables, queues, functions };
  const mappings = all(['AWS::Lambda::EventSourceMapping'], mappingSchema, (id, properties) => mapping(id, properties, parts));
  const integrations = new Map(
    all(['AWS::ApiGatewayV2::Integration'], integrationSchema, (id, properties) => [resolver.nameOf(id), properties]),
  );
  return {
    ...parts,
    buckets,
    streamMappings: mappings.filter((one) => 'table' in one),
    queueMappings: mappings.filter((one) => 'queue' in one),
    schedules: all(['AWS::Events::Rule'], ruleSchema, (id, { ScheduleExpression, Targets }) =>
      Targets.map((target) => ({
        arn: resolver.attribute(id, 'Arn'),
        function: find(functions, target.Arn, id),
        everyMs: rateMs(ScheduleExpression),
        input: target.Input ?? null,
      })),
    ).flat(),
    routes: all(['AWS::ApiGatewayV2::Route'], routeSchema, (id, { RouteKey, Target }) => {
      const integration = integrations.get(Target.replace('integrations/', ''));
      return { key: literalRoute(RouteKey), function: find(functions, integration?.IntegrationUri ?? Target, id) };
    }),
    stateMachines: all(['AWS::StepFunctions::StateMachine'], stateMachineSchema, (id, { DefinitionString, RoleArn }) => ({
      name: resolver.nameOf(id),
      arn: resolver.attribute(id, 'Arn'),
      definition: DefinitionString,
      permissions: RoleArn === undefined ? null : permissionsOf(RoleArn, policies),
    })),
    outputs,
  };
}

/** The template's outputs named `<prefix><Part>`, by part. */
export function outputsOf(outputs: Wiring['outputs'], prefix: string): Record<string, string> {
  const named = Object.entries(outputs).filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(named.map(([name, value]) => [kebabCase(name.slice(prefix.length)), value]));
}

function permissionsOf(role: string, policies: readonly z.infer<typeof policySchema>[]): Statement[] {
  return policies.filter(({ Roles }) => Roles.includes(role)).flatMap(({ PolicyDocument }) => PolicyDocument.Statement);
}

type MappingProperties = z.infer<typeof mappingSchema>;
type Parts = Pick<Wiring, 'tables' | 'queues' | 'functions'>;

function mapping(id: string, properties: MappingProperties, parts: Parts): StreamMapping | QueueMapping {
  const target = find(parts.functions, properties.FunctionName, id);
  const reportItemFailures = properties.FunctionResponseTypes.includes('ReportBatchItemFailures');
  const queue = parts.queues.find((one) => one.arn === properties.EventSourceArn);
  if (queue !== undefined) {
    const concurrency = properties.ScalingConfig?.MaximumConcurrency ?? 2;
    return { queue, function: target, batchSize: properties.BatchSize ?? 10, reportItemFailures, concurrency };
  }
  const table = parts.tables.find((one) => one.streamArn === properties.EventSourceArn);
  if (table === undefined)
    throw new SyncError('LOCAL_STACK', `${id} reads ${properties.EventSourceArn}, which the local stack does not have`);
  const onFailureArn = properties.DestinationConfig?.OnFailure.Destination;
  return {
    table,
    function: target,
    onFailure: parts.queues.find((one) => one.arn === onFailureArn) ?? null,
    batchSize: properties.BatchSize ?? 100,
    bisect: properties.BisectBatchOnFunctionError,
    reportItemFailures,
    retryAttempts: properties.MaximumRetryAttempts,
    recordAgeMaxMs: properties.MaximumRecordAgeInSeconds < 0 ? Infinity : properties.MaximumRecordAgeInSeconds * 1_000,
  };
}

function queueAttributes(properties: z.infer<typeof queueSchema>): Record<string, string> {
  const { VisibilityTimeout, MessageRetentionPeriod, RedrivePolicy } = properties;
  return {
    VisibilityTimeout: String(VisibilityTimeout),
    MessageRetentionPeriod: String(MessageRetentionPeriod),
    ...(RedrivePolicy === undefined ? {} : { RedrivePolicy: JSON.stringify(RedrivePolicy) }),
  };
}

function find(functions: readonly FunctionDefinition[], nameOrArn: string, id: string): FunctionDefinition {
  const found = functions.find((one) => one.name === nameOrArn || one.arn === nameOrArn);
  if (found === undefined) throw new SyncError('LOCAL_STACK', `${id} calls ${nameOrArn}, which is no function of the template`);
  return found;
}

const UNIT_MS: Readonly<Record<string, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

function rateMs(expression: string): number {
  const match = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression);
  if (match === null)
    throw new SyncError('LOCAL_STACK', `schedule ${expression} is not of the form rate(…), which is all the local stack knows`);
  return Number(match[1]) * (UNIT_MS[match[2] ?? ''] ?? 0);
}

function literalRoute(key: string): string {
  if (/^[A-Z]+ \/[^{}*]*$/.test(key)) return key;
  throw new SyncError('LOCAL_STACK', `route ${key} has a pattern; the local stack serves literal routes only`);
}

function parseProperties<S extends z.ZodType>(id: string, schema: S, properties: unknown): z.infer<S> {
  const parsed = schema.safeParse(properties);
  if (!parsed.success) throw new SyncError('LOCAL_STACK', `the local stack cannot run ${id}:\n${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

/** The folder of every asset of a cloud assembly, by its object key. */
export function assetFolders(assembly: string, assets: unknown): (objectKey: string) => string {
  const schema = z.object({ files: z.record(z.string(), z.object({ source: z.object({ path: z.string() }) })) });
  const { files } = schema.parse(assets);
  return (objectKey) => {
    const file = files[objectKey.replace(/\.zip$/, '')];
    if (file === undefined) throw new SyncError('LOCAL_STACK', `the cloud assembly has no asset ${objectKey}`);
    return join(assembly, file.source.path);
  };
}
