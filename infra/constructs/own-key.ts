/**
 * One key of the stack's own for everything it stores: tables, buckets, queues and logs. Without it each service has a key of the
 * account or of its own, which encrypts as well and costs nothing (decision 0036).
 *
 * Whoever uses the key does so through the service that holds the data; by itself it opens nothing.
 */
import { ArnFormat, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import type { Organization } from '../../protocol/organization.ts';

export function createOwnKey(scope: Construct, { ownKey, retainData }: Organization): Key | undefined {
  if (!ownKey) return undefined;
  const { region } = Stack.of(scope);
  const key = new Key(scope, 'OwnKey', {
    description: `Data and logs of ${Stack.of(scope).stackName}`,
    enableKeyRotation: true,
    // Data that is kept can be read for as long as its key is.
    removalPolicy: retainData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
  });
  const logs = Stack.of(scope).formatArn({
    service: 'logs',
    resource: 'log-group',
    resourceName: '*',
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
  key.addToResourcePolicy(
    new PolicyStatement({
      principals: [new ServicePrincipal(`logs.${region}.amazonaws.com`)],
      actions: ['kms:Encrypt', 'kms:Decrypt', 'kms:ReEncryptFrom', 'kms:ReEncryptTo', 'kms:GenerateDataKey', 'kms:DescribeKey'],
      resources: ['*'],
      conditions: { ArnLike: { 'kms:EncryptionContext:aws:logs:arn': logs } },
    }),
  );
  return key;
}

/** What a function needs of it to work with what is encrypted under it. */
export function useOfKey(scope: Construct, key: Key): PolicyStatement {
  const { region } = Stack.of(scope);
  return new PolicyStatement({
    actions: ['kms:Encrypt', 'kms:Decrypt', 'kms:GenerateDataKey', 'kms:DescribeKey'],
    resources: [key.keyArn],
    conditions: { StringEquals: { 'kms:ViaService': ['dynamodb', 's3', 'sqs'].map((service) => `${service}.${region}.amazonaws.com`) } },
  });
}
