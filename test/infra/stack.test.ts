/**
 * What every organization's stack promises, read from its template: a snapshot to see every change, and the properties
 * that the product's correctness and its data's safety rest on.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { readOrganizations } from '../../infra/organizations.ts';
import { APPLY_JOBS } from '../../protocol/apply-jobs.ts';
import { storelineApp } from '../../infra/storeline-app.ts';

interface Resource {
  readonly Type: string;
  readonly Properties: Record<string, unknown>;
}
interface Statement {
  readonly Effect: string;
  readonly Action: string | string[];
  readonly Resource: unknown;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | string[]>>>>;
}

const folder = mkdtempSync(join(tmpdir(), 'storeline-infra-'));
afterAll(() => rmSync(folder, { recursive: true }));

const organizations = readOrganizations(join(import.meta.dirname, '../../orgs'), []);
// Rule packs run here too: a finding without a reason makes this throw.
const assembly = storelineApp(organizations, { outdir: join(folder, 'out'), bundle: false }).synth();

/** Queues with work in them, and the function that does it. */
const WORKED_OFF_BY = { Compaction: 'compact', Doorbell: 'apply' };

/** What AWS asks of a workflow's role for its log, on no resource in particular, and for its traces. */
const LOG_DELIVERY =
  /^logs:((Create|Get|Update|Delete|List)LogDeliver(y|ies)|PutResourcePolicy|DescribeResourcePolicies|DescribeLogGroups)$|^xray:GetSampling(Rules|Targets)$/;

describe.each(organizations)('the stack of $name', (organization) => {
  const json = assembly.getStackByName(`storeline-${organization.name}`).template as { Resources: Record<string, Resource> };
  const template = Template.fromJSON(json);
  const resources = Object.entries(json.Resources);
  const ofType = (type: string) => resources.filter(([, resource]) => resource.Type === type);

  test('is what it was', () => {
    expect(JSON.parse(JSON.stringify(json).replace(/[0-9a-f]{64}/g, '<asset>'))).toMatchSnapshot();
  });

  test('reads the stream from its beginning, one batch at a time, within its 24 hours', () => {
    template.hasResourceProperties('AWS::Lambda::EventSourceMapping', {
      EventSourceArn: { 'Fn::GetAtt': ['Records', 'StreamArn'] },
      StartingPosition: 'TRIM_HORIZON',
      ParallelizationFactor: 1,
      BatchSize: 1000,
      BisectBatchOnFunctionError: true,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      DestinationConfig: { OnFailure: { Destination: { 'Fn::GetAtt': ['FeedWriterFailures', 'Arn'] } } },
      MaximumRetryAttempts: Match.anyValue(),
    });
    const [, mapping] = ofType('AWS::Lambda::EventSourceMapping').find(([, one]) => 'StartingPosition' in one.Properties) ?? [];
    expect(mapping?.Properties['MaximumRecordAgeInSeconds']).toBeLessThan(86_400);
    expect(mapping?.Properties['MaximumRecordAgeInSeconds']).toBeGreaterThan(0);
    expect(mapping?.Properties['MaximumRetryAttempts']).toBeGreaterThan(0);
  });

  test('only main data has a stream, with both images', () => {
    for (const [id, { Properties }] of ofType('AWS::DynamoDB::GlobalTable')) {
      const wanted = id === 'Records' ? { StreamViewType: 'NEW_AND_OLD_IMAGES' } : undefined;
      expect(Properties['StreamSpecification'], id).toEqual(wanted);
    }
  });

  test('tables expire nothing, can be restored, are encrypted and are kept as the organization says', () => {
    const tables = ofType('AWS::DynamoDB::GlobalTable');
    expect(tables.map(([id]) => id).sort()).toEqual(['Audit', 'Feeds', 'Records', 'Stores', 'Uploads']);
    for (const [id, table] of tables) {
      expect(table.Properties['TimeToLiveSpecification'], id).toBeUndefined();
      expect(table.Properties['SSESpecification'], id).toMatchObject({ SSEEnabled: true });
      expect(table.Properties['BillingMode'], id).toBe('PAY_PER_REQUEST');
      expect(table.Properties['Replicas'], id).toMatchObject([
        {
          PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
          ...(organization.retainData ? { DeletionProtectionEnabled: true } : {}),
        },
      ]);
      expect((table as unknown as { DeletionPolicy: string }).DeletionPolicy).toBe(organization.retainData ? 'Retain' : 'Delete');
    }
  });

  test('the bucket is private, encrypted and reached by TLS only', () => {
    template.hasResourceProperties('AWS::S3::Bucket', {
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
      BucketEncryption: Match.anyValue(),
      VersioningConfiguration: Match.absent(),
      LifecycleConfiguration: {
        Rules: [
          Match.objectLike({ AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } }),
          Match.objectLike({ Prefix: 'segments/', ExpirationInDays: 60 }),
        ],
      },
    });
    template.hasResourceProperties('AWS::S3::BucketPolicy', {
      PolicyDocument: {
        Statement: Match.arrayWith([Match.objectLike({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } })]),
      },
    });
  });

  test('people’s data on its way up is in a bucket of its own, private and gone in two weeks whatever happens', () => {
    const bucket = json.Resources['UploadObjects']?.Properties;
    expect(bucket).toMatchObject({
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
      BucketEncryption: expect.anything() as object,
    });
    expect(bucket?.['LifecycleConfiguration']).toMatchObject({ Rules: [{}, { ExpirationInDays: 14, Status: 'Enabled' }] });
    expect(bucket?.['VersioningConfiguration']).toBeUndefined();
    const policies = ofType('AWS::S3::BucketPolicy').map(([, { Properties }]) => Properties);
    const own = policies.find(({ Bucket }) => JSON.stringify(Bucket) === '{"Ref":"UploadObjects"}');
    expect(JSON.stringify(own)).toContain('aws:SecureTransport');
  });

  test('queues are encrypted, reached by TLS only, and lose nothing to a slow function', () => {
    const queues = ofType('AWS::SQS::Queue');
    expect(ofType('AWS::SQS::QueuePolicy')).toHaveLength(queues.length);
    for (const [, policy] of ofType('AWS::SQS::QueuePolicy')) expect(JSON.stringify(policy.Properties)).toContain('aws:SecureTransport');
    for (const [id, queue] of queues) {
      expect(queue.Properties['SqsManagedSseEnabled'], id).toBe(true);
      if (!(id in WORKED_OFF_BY)) expect(queue.Properties['MessageRetentionPeriod'], id).toBe(14 * 86_400);
    }
    for (const [id, name] of Object.entries(WORKED_OFF_BY)) {
      const queue = json.Resources[id]?.Properties;
      const [, worker] =
        ofType('AWS::Lambda::Function').find(([, one]) => String(one.Properties['FunctionName']).endsWith(`-${name}`)) ?? [];
      expect(queue?.['VisibilityTimeout'], id).toBeGreaterThanOrEqual(6 * Number(worker?.Properties['Timeout']));
      const { maxReceiveCount } = (queue?.['RedrivePolicy'] ?? {}) as { maxReceiveCount?: number };
      expect(maxReceiveCount, id).toBeGreaterThanOrEqual(5);
    }
  });

  test('a function that rings for itself is not stopped for it', () => {
    const rings = (role: string, queue: string) =>
      ofType('AWS::IAM::Policy')
        .filter(([, { Properties }]) => JSON.stringify(Properties['Roles']).includes(role))
        .flatMap(([, policy]) => statements(policy))
        .some((one) => JSON.stringify(one.Action).includes('sqs:SendMessage') && JSON.stringify(one.Resource).includes(`"${queue}"`));
    const seen = ofType('AWS::Lambda::EventSourceMapping').flatMap(([, { Properties }]) => {
      const [queue = ''] = (Properties['EventSourceArn'] as { 'Fn::GetAtt': string[] })['Fn::GetAtt'];
      const { Properties: made } = json.Resources[(Properties['FunctionName'] as { Ref: string }).Ref] as Resource;
      const [role = ''] = (made['Role'] as { 'Fn::GetAtt': string[] })['Fn::GetAtt'];
      return rings(role, queue) ? [[queue, made['RecursiveLoop']]] : [];
    });
    expect(Object.fromEntries(seen)).toEqual({ Compaction: 'Allow', Doorbell: 'Allow', Rescope: 'Allow' });
  });

  test('functions run the newest Node on ARM, traced, each with its own role and a log that ends', () => {
    const functions = ofType('AWS::Lambda::Function');
    const prefix = `storeline-${organization.name}-`;
    expect(functions.map(([, one]) => String(one.Properties['FunctionName']).replace(prefix, '')).sort()).toEqual([
      'apply',
      'compact',
      'console',
      'console-api',
      'contact',
      'enrol',
      'erase',
      'feed-writer',
      'fork',
      'fresh-run',
      'lookup',
      'plan',
      'push',
      'rebuild',
      'redeem',
      'report',
      'rescope',
      'rotate-key',
      'watch-rollout',
      'watch-stores',
    ]);
    for (const [id, { Properties }] of functions) {
      expect(Properties, id).toMatchObject({ Runtime: 'nodejs24.x', Architectures: ['arm64'], TracingConfig: { Mode: 'Active' } });
    }
    expect(new Set(functions.map(([, one]) => JSON.stringify(one.Properties['Role']))).size).toBe(functions.length);
    for (const [id, log] of ofType('AWS::Logs::LogGroup')) expect(log.Properties['RetentionInDays'], id).toBeGreaterThan(0);
    for (const [id, role] of ofType('AWS::IAM::Role')) expect(role.Properties['ManagedPolicyArns'], id).toBeUndefined();
  });

  test('no role may do everything, or anything on everything but add trace segments and have logs delivered', () => {
    for (const [id, policy] of ofType('AWS::IAM::Policy')) {
      for (const { Action, Resource: resource } of statements(policy)) {
        const actions = [Action].flat();
        for (const action of actions) expect(action, id).toMatch(/^[a-z0-9]+:[A-Za-z]+$/);
        const tracing = actions.every(
          (action) => action.startsWith('xray:Put') || (id.startsWith('FreshSync') && LOG_DELIVERY.test(action)),
        );
        if (!tracing) expect([resource].flat(), id).not.toContain('*');
        const wildcards = JSON.stringify(resource).match(/"[^"]*\*[^"]*"/g) ?? [];
        for (const wildcard of tracing ? [] : wildcards)
          expect(['"/chunks/*"', '"/manifests/*"', '"/segments/*"', '"/uploads/*"'], id).toContain(wildcard);
      }
    }
  });

  test('each function may do what its part needs and no more', () => {
    const access = Object.fromEntries(
      ofType('AWS::IAM::Policy').map(([id, policy]) => [
        /^(?:Functions)?(.*)[rR]oleDefaultPolicy/.exec(id)?.[1],
        accessOf(statements(policy).filter(({ Effect }) => Effect === 'Allow')),
      ]),
    );
    expect(access).toMatchSnapshot();
  });

  test('of what stands in one table with others each function touches its own kind only', () => {
    const touchedBy = new Map<string, Set<string>>();
    for (const [id, policy] of ofType('AWS::IAM::Policy')) {
      for (const { Action, Resource: resource, Condition } of statements(policy)) {
        if (JSON.stringify(resource) !== '{"Fn::GetAtt":["Stores","Arn"]}') continue;
        const keys = Condition?.['ForAllValues:StringLike']?.['dynamodb:LeadingKeys'];
        expect(keys, `${id} ${String(Action)}`).toBeDefined();
        const name = /^Functions(.*)roleDefaultPolicy/.exec(id)?.[1] ?? id;
        for (const key of [keys ?? []].flat()) touchedBy.set(key, (touchedBy.get(key) ?? new Set()).add(name));
      }
    }
    const who = Object.fromEntries([...touchedBy].map(([key, names]) => [key, [...names].toSorted()]));
    expect(who).toMatchObject({
      'code#*': ['console', 'consoleapi', 'enrol'],
      erasure: ['erase'],
      undertaking: ['console', 'consoleapi', 'erase', 'rebuild'],
      rollout: ['console', 'consoleapi', 'plan', 'watchrollout'],
      quarantine: ['console', 'consoleapi', 'erase', 'feedwriter'],
      'wrong-codes': ['enrol'],
      'fresh-slot#*': ['plan', 'report'],
      'lookups#*': ['lookup'],
      stores: ['apply', 'console', 'consoleapi', 'erase', 'watchstores'],
    });
    expect(Object.keys(who).toSorted()).toEqual([
      'code#*',
      'erasure',
      'fresh-slot#*',
      'lookups#*',
      'quarantine',
      'rollout',
      'store#*',
      'stores',
      'undertaking',
      'wrong-codes',
    ]);
  });

  test('the audit is added to by the console alone, and nobody may change it or take anything away (INV-49)', () => {
    const about = ofType('AWS::IAM::Policy').flatMap(([id, policy]) =>
      statements(policy)
        .filter(({ Resource: resource }) => JSON.stringify(resource).includes('"Audit"'))
        .map(({ Effect, Action }) => ({
          id: id.replace(/RoleDefaultPolicy.*|roleDefaultPolicy.*/, ''),
          Effect,
          Action: [Action].flat().toSorted(),
        })),
    );
    expect(about.map(({ id }) => id).toSorted()).toEqual(['Functionsconsole', 'Functionsconsoleapi']);
    for (const { Effect, Action } of about) expect([Effect, Action]).toEqual(['Allow', ['dynamodb:PutItem', 'dynamodb:Query']]);
    // A star would be one of its actions too.
    for (const [, policy] of ofType('AWS::IAM::Policy'))
      for (const { Action } of statements(policy)) expect(JSON.stringify(Action)).not.toMatch(/dynamodb:[^"]*\*/);
  });

  test('what apply does by the clock is a call for each job, so that none waits for another', () => {
    const targets = ofType('AWS::Events::Rule').flatMap(([, { Properties }]) => Properties['Targets'] as { Input?: string }[]);
    expect(targets.flatMap(({ Input }) => (Input === undefined ? [] : [JSON.parse(Input)]))).toEqual(APPLY_JOBS.map((job) => ({ job })));
  });

  test('the schedule is the one of the organization', () => {
    const { compactionMinutes: minutes } = organization;
    const rate = minutes % 60 === 0 ? `rate(${minutes === 60 ? '1 hour' : `${minutes / 60} hours`})` : `rate(${minutes} minutes)`;
    template.hasResourceProperties('AWS::Events::Rule', { ScheduleExpression: rate });
  });
});

test('an organization that does not fit is refused with the field that is wrong', () => {
  const file = join(folder, 'bad.json');
  writeFileSync(file, readFileSync(join(import.meta.dirname, '../../orgs/demo.json'), 'utf8').replace('"GBP"', '"pounds"'));
  expect(() => readOrganizations(folder, [file])).toThrow(/currency/);
  expect(() => readOrganizations(folder, ['nobody'])).toThrow(/no organization nobody/);
});

function statements(policy: Resource): Statement[] {
  return (policy.Properties['PolicyDocument'] as { Statement: Statement[] }).Statement;
}

/** `table or queue, and the leading keys: its actions`, for reading. */
function accessOf(all: Statement[]): Record<string, string[]> {
  const access: Record<string, string[]> = {};
  for (const { Action, Resource: resource, Condition } of all) {
    const keys = [Condition?.['ForAllValues:StringLike']?.['dynamodb:LeadingKeys'] ?? []].flat();
    for (const target of [resource].flat()) {
      const [id, attribute] = (target as { 'Fn::GetAtt'?: string[] })['Fn::GetAtt'] ?? [JSON.stringify(target)];
      const name = [attribute === undefined || attribute === 'Arn' ? `${id}` : `${id}.${attribute}`, ...keys].join(' ');
      if (!/logs|^"\*"/.test(name)) access[name] = [...(access[name] ?? []), ...[Action].flat()].sort();
    }
  }
  return access;
}
