/**
 * Everything one organization has in the cloud. Organizations share nothing: no table, no bucket, no role.
 */
import { CfnOutput, Duration, Stack, Tags } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { Organization } from '../protocol/organization.ts';
import { Alarms } from './constructs/alarms.ts';
import { Api } from './constructs/api.ts';
import { addDashboard } from './constructs/dashboard.ts';
import { Data } from './constructs/data.ts';
import { FRESH_RUN_TIMEOUT, FUNCTION_NAMES, Functions } from './constructs/functions.ts';
import { FreshWorkflow } from './constructs/fresh-workflow.ts';
import { grantAccess } from './constructs/access.ts';
import { createOwnKey } from './constructs/own-key.ts';
import { People } from './constructs/people.ts';
import { ORGANIZATION_TAG } from './constructs/tags.ts';
import { addTriggers } from './constructs/triggers.ts';

interface StorelineStackProps {
  readonly organization: Organization;
  /** Folder with a folder per function. */
  readonly bundles: string;
}

export class StorelineStack extends Stack {
  constructor(scope: Construct, id: string, { organization, bundles }: StorelineStackProps) {
    super(scope, id, {
      env: { region: organization.region },
      description: `Storeline for ${organization.displayName}`,
      terminationProtection: organization.retainData,
    });
    Tags.of(this).add(ORGANIZATION_TAG, organization.name);
    const key = createOwnKey(this, organization);
    const data = new Data(this, 'Data', { organization, key });
    const people = new People(this, 'People', organization);
    const functions = new Functions(this, 'Functions', { organization, key, data, people, bundles });
    grantAccess(data, functions);
    const turns = addTriggers(this, { organization, data, functions });
    const fresh = new FreshWorkflow(this, 'FreshSync', {
      organization,
      key,
      task: functions.get('fresh-run'),
      taskTimeout: FRESH_RUN_TIMEOUT.plus(Duration.seconds(30)),
    });
    const api = new Api(this, 'Api', { organization, key, functions });
    const watched = { organization, data, functions, turns, fresh, api };
    const alarms = new Alarms(this, 'Operation', watched);
    addDashboard(this, { ...watched, alarms });

    const outputs: Record<string, string> = {
      Organization: organization.name,
      ApiUrl: api.url,
      TableRecords: data.records.tableName,
      TableFeeds: data.feeds.tableName,
      TableStores: data.stores.tableName,
      TableAudit: data.audit.tableName,
      TableUploads: data.uploads.tableName,
      BucketSnapshots: data.snapshots.bucketName,
      BucketUploads: data.uploadObjects.bucketName,
      QueueCompaction: data.compaction.queueUrl,
      QueueCompactionFailures: data.compactionFailures.queueUrl,
      QueueFeedWriterFailures: data.feedWriterFailures.queueUrl,
      QueueDoorbell: data.doorbell.queueUrl,
      QueueDoorbellFailures: data.doorbellFailures.queueUrl,
      QueueRescopeFailures: data.rescopeFailures.queueUrl,
      WorkflowFreshSync: fresh.arn,
      IdentityIssuer: people.issuer,
      IdentityAudience: people.audience,
      IdentityScopes: people.scopes.join(' '),
      ...(people.clientId === null ? {} : { IdentityClientId: people.clientId }),
      TopicAlarms: alarms.topic.topicArn,
    };
    for (const name of FUNCTION_NAMES) outputs[`Function${pascalCase(name)}`] = functions.get(name).functionName;
    for (const [name, value] of Object.entries(outputs)) output(this, name, value);
  }
}

function pascalCase(name: string): string {
  return name.replace(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function output(stack: Stack, name: string, value: string): CfnOutput {
  return new CfnOutput(stack, name, { value });
}
