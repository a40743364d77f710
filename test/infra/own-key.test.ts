/** What an organization's operational settings make of its stack: a key of its own, how long logs are kept, what is reserved. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { afterAll, describe, expect, test } from 'vitest';
import { storelineApp } from '../../infra/storeline-app.ts';
import { type Organization, organizationSchema } from '../../protocol/organization.ts';

interface Resource {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, unknown>>;
  readonly DeletionPolicy?: string;
}
interface Statement {
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
  readonly Condition?: object;
}

const folder = mkdtempSync(join(tmpdir(), 'storeline-key-'));
afterAll(() => rmSync(folder, { recursive: true }));

const plain = { name: 'keyed', displayName: 'K', region: 'eu-west-2', timeZone: 'UTC', currency: 'GBP' };
/** The rule packs run here too. */
function templateOf(more: object): Record<string, Resource> {
  const organization: Organization = organizationSchema.parse({ ...plain, ...more });
  const assembly = storelineApp([organization], { outdir: mkdtempSync(join(folder, 'out-')), bundle: false }).synth();
  return (assembly.getStackByName('storeline-keyed').template as { Resources: Record<string, Resource> }).Resources;
}

const KEY = expect.stringMatching(/^OwnKey/) as string;
const ofType = (resources: Record<string, Resource>, type: string) => Object.entries(resources).filter(([, { Type }]) => Type === type);

describe('an organization with a key of its own', () => {
  const resources = templateOf({ ownKey: true });
  const template = Template.fromJSON({ Resources: resources });

  test('has everything that is stored under it: tables, buckets, queues and logs', () => {
    const arn = { 'Fn::GetAtt': [KEY, 'Arn'] };
    for (const [id, { Properties }] of ofType(resources, 'AWS::DynamoDB::GlobalTable')) {
      expect(Properties['SSESpecification'], id).toMatchObject({ SSEEnabled: true, SSEType: 'KMS' });
      expect(Properties['Replicas'], id).toMatchObject([{ SSESpecification: { KMSMasterKeyId: arn } }]);
    }
    for (const [id, { Properties }] of ofType(resources, 'AWS::S3::Bucket'))
      expect(Properties['BucketEncryption'], id).toEqual({
        ServerSideEncryptionConfiguration: [
          { BucketKeyEnabled: true, ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: arn } },
        ],
      });
    for (const [id, { Properties }] of ofType(resources, 'AWS::SQS::Queue'))
      expect(Properties, id).toMatchObject({ KmsMasterKeyId: arn, KmsDataKeyReusePeriodSeconds: 3_600 });
    const logs = ofType(resources, 'AWS::Logs::LogGroup');
    expect(logs.length).toBeGreaterThan(18);
    for (const [id, { Properties }] of logs) expect(Properties['KmsKeyId'], id).toEqual(arn);
  });

  test('rotates it, and keeps it as long as the data', () => {
    template.hasResourceProperties('AWS::KMS::Key', { Description: 'Data and logs of storeline-keyed', EnableKeyRotation: true });
    const [, key] = ofType(resources, 'AWS::KMS::Key').find(([id]) => id.startsWith('OwnKey')) ?? [];
    expect(key?.DeletionPolicy).toBe('Retain');
  });

  test('lets each function use it by the service that holds the data, and logs for their own', () => {
    const throughServices = {
      Effect: 'Allow',
      Action: ['kms:Encrypt', 'kms:Decrypt', 'kms:GenerateDataKey', 'kms:DescribeKey'],
      Resource: { 'Fn::GetAtt': [KEY, 'Arn'] },
      Condition: { StringEquals: { 'kms:ViaService': ['dynamodb', 's3', 'sqs'].map((service) => `${service}.eu-west-2.amazonaws.com`) } },
    };
    for (const [id, { Properties }] of ofType(resources, 'AWS::IAM::Policy')) {
      const { Statement: all } = Properties['PolicyDocument'] as { Statement: Statement[] };
      const aboutKeys = all.filter(({ Action }) => [Action].flat().some((action) => action.startsWith('kms:')));
      // And no other way: what the CDK grants to whoever sends to an encrypted queue would open it by itself.
      expect(aboutKeys, id).toEqual(id.startsWith('Functions') ? [throughServices] : []);
    }
    template.hasResourceProperties('AWS::KMS::Key', {
      KeyPolicy: {
        Statement: Match.arrayWith([
          Match.objectLike({ Principal: { Service: 'logs.eu-west-2.amazonaws.com' }, Condition: { ArnLike: Match.anyValue() } }),
        ]),
      },
    });
    // The schedule leaves nothing in a queue.
    expect(JSON.stringify(ofType(resources, 'AWS::KMS::Key').find(([id]) => id.startsWith('OwnKey')))).not.toContain(
      'events.amazonaws.com',
    );
  });
});

describe('an organization that says nothing of it', () => {
  const resources = templateOf({});

  test('has no key but that of its alarms, logs for ninety days, and nothing reserved', () => {
    expect(ofType(resources, 'AWS::KMS::Key').map(([id]) => id)).toEqual([expect.stringMatching(/^OperationAlarmsKey/)]);
    for (const [id, { Properties }] of ofType(resources, 'AWS::Logs::LogGroup')) {
      expect(Properties['RetentionInDays'], id).toBe(90);
      expect(Properties['KmsKeyId'], id).toBeUndefined();
    }
    for (const [id, { Properties }] of ofType(resources, 'AWS::Lambda::Function'))
      expect(Properties['ReservedConcurrentExecutions'], id).toBeUndefined();
  });
});

describe('an organization that says how long and how much', () => {
  const resources = templateOf({ logDays: 365, reservedConcurrency: { apply: 20 }, monthlyBudgetUsd: 50 });

  test('has it so, and its functions do not start anew for it', () => {
    for (const [id, { Properties }] of ofType(resources, 'AWS::Logs::LogGroup')) expect(Properties['RetentionInDays'], id).toBe(365);
    const reserved = ofType(resources, 'AWS::Lambda::Function').flatMap(([, { Properties }]) =>
      Properties['ReservedConcurrentExecutions'] === undefined
        ? []
        : [[Properties['FunctionName'], Properties['ReservedConcurrentExecutions']]],
    );
    expect(reserved).toEqual([['storeline-keyed-apply', 20]]);
    expect(ofType(resources, 'AWS::Budgets::Budget')).toHaveLength(1);
    const environments = (of: Record<string, Resource>) =>
      ofType(of, 'AWS::Lambda::Function').map(([id, { Properties }]) => [id, Properties['Environment']]);
    expect(environments(resources)).toEqual(environments(templateOf({ ownKey: true })));
  });

  test('has no queue call a function more often at once than it may run', () => {
    const most = ofType(resources, 'AWS::Lambda::EventSourceMapping').flatMap(([, { Properties }]) => {
      const { MaximumConcurrency: count } = (Properties['ScalingConfig'] ?? {}) as { MaximumConcurrency?: number };
      return count === undefined ? [] : [count];
    });
    expect(most.toSorted((a, b) => a - b)).toEqual([10, 10, 20]);
  });

  test('is refused with more than an account has for all, and with less than a queue begins with', () => {
    for (const reserved of [{ apply: 600, plan: 301 }, { apply: 1 }])
      expect(organizationSchema.safeParse({ ...plain, reservedConcurrency: reserved }).success).toBe(false);
    expect(organizationSchema.safeParse({ ...plain, reservedConcurrency: { apply: 600, plan: 300 } }).success).toBe(true);
  });

  test('is refused with more settings than a function can be told', () => {
    const stores = Array.from({ length: 50 }, (_, index) => String(index).padStart(64, 'S'));
    expect(() => templateOf({ canary: { stores } })).toThrow(/name fewer canary stores/);
  });

  test('is refused with a function that there is not, and with a time that logs cannot have', () => {
    expect(() => templateOf({ reservedConcurrency: { aply: 20 } })).toThrow(/there is no function aply; they are: .*apply/);
    expect(organizationSchema.safeParse({ ...plain, logDays: 31 }).success).toBe(false);
  });
});
