/**
 * What the organization's data stands in: five tables, two buckets and the queues between.
 *
 * No table has a time to live: an expiry on main data would reach the feeds as deletes, and one on feeds or stores
 * would take away what a replica still needs. Only `records` has a stream; what the
 * stream's own consumer and what it asks for write back (a revision that was forgotten, a place that changed) comes to rest. Logical ids are fixed, so that moving code around never replaces a table.
 */
import { CfnResource, Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import {
  AttributeType,
  Billing,
  type ITableV2,
  ProjectionType,
  StreamViewType,
  TableEncryptionV2,
  type TablePropsV2,
  TableV2,
} from 'aws-cdk-lib/aws-dynamodb';
import { AnyPrincipal, Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Key } from 'aws-cdk-lib/aws-kms';
import { BlockPublicAccess, Bucket, BucketEncryption, type LifecycleRule } from 'aws-cdk-lib/aws-s3';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { must } from '../../protocol/assert.ts';
import { limits } from '../../protocol/limits.ts';
import type { Organization } from '../../protocol/organization.ts';

/** Of `records`: what belongs to a customer. */
export const OWNER_INDEX = 'owner';

const RECORDS: Partial<TablePropsV2> = {
  dynamoStream: StreamViewType.NEW_AND_OLD_IMAGES,
  // Only records of working sets have an owner, so for the others this index costs nothing.
  globalSecondaryIndexes: [
    {
      indexName: OWNER_INDEX,
      partitionKey: { name: 'owner', type: AttributeType.STRING },
      sortKey: { name: 'sk', type: AttributeType.STRING },
      projectionType: ProjectionType.KEYS_ONLY,
    },
  ],
};

/** The longest SQS keeps a message: as much time as can be had for somebody to look. */
const FAILURES_KEPT = Duration.days(14);

/** A quarter of a million changes folded and packed takes about a minute and a half; five leave room for a slow bucket. */
export const COMPACT_TIMEOUT = Duration.minutes(5);

/** About a hundred transactions of a hundred operations; what is left rings again. */
export const APPLY_TIMEOUT = Duration.seconds(60);

/** Fifty records a message, ten messages: a few reads and a write each. */
export const RESCOPE_TIMEOUT = Duration.seconds(60);

export class Data extends Construct {
  readonly records: ITableV2;
  readonly feeds: ITableV2;
  readonly stores: ITableV2;
  readonly audit: ITableV2;
  readonly snapshots: Bucket;
  readonly compaction: Queue;
  readonly compactionFailures: Queue;
  readonly feedWriterFailures: Queue;
  readonly uploads: ITableV2;
  readonly uploadObjects: Bucket;
  readonly doorbell: Queue;
  readonly doorbellFailures: Queue;
  readonly rescope: Queue;
  readonly rescopeFailures: Queue;

  readonly #key: Key | undefined;

  constructor(scope: Construct, id: string, { organization, key }: { readonly organization: Organization; readonly key: Key | undefined }) {
    super(scope, id);
    this.#key = key;
    const { restored } = organization;
    this.records =
      restored === undefined
        ? this.#table('Records', organization, RECORDS)
        : this.#restored('Records', restored.records, restored.recordsStream);
    this.feeds = restored === undefined ? this.#table('Feeds', organization) : this.#restored('Feeds', restored.feeds);
    this.stores = restored === undefined ? this.#table('Stores', organization) : this.#restored('Stores', restored.stores);
    this.uploads = restored === undefined ? this.#table('Uploads', organization) : this.#restored('Uploads', restored.uploads);
    // Apart from everything that is restored from a backup, and from everything that other functions write.
    this.audit = this.#table('Audit', organization);
    this.snapshots = this.#bucket('Snapshots', organization, [
      // Nothing reads a segment behind the horizon; the rest is for a plan that is being worked off.
      { prefix: 'segments/', expiration: Duration.millis(limits.segmentLifeMs) },
    ]);
    Validations.of(this.snapshots).acknowledge({
      id: 'AwsSolutions-S1',
      reason:
        'Stores read chunks by URLs that the plan function signs, logs and gives five minutes; access logs would add a second bucket per organization and no question they answer is open.',
    });
    // People's data on its way: deleted when it is applied, swept every hour, and gone by this whatever happens.
    this.uploadObjects = this.#bucket('UploadObjects', organization, [{ expiration: Duration.millis(limits.uploadLifeMs) }]);
    Validations.of(this.uploadObjects).acknowledge({
      id: 'AwsSolutions-S1',
      reason:
        'Stores put one object each by a URL that the push function signs for exactly its bytes; what came of it stands in the inbox, so access logs would answer no question.',
    });
    this.compactionFailures = this.#queue('CompactionFailures', { retentionPeriod: FAILURES_KEPT });
    this.feedWriterFailures = this.#queue('FeedWriterFailures', { retentionPeriod: FAILURES_KEPT });
    this.compaction = this.#queue('Compaction', {
      retentionPeriod: Duration.days(4),
      // Lambda's own advice: six times the function's timeout, or a slow batch is delivered twice.
      visibilityTimeout: Duration.seconds(6 * COMPACT_TIMEOUT.toSeconds()),
      deadLetterQueue: { queue: this.compactionFailures, maxReceiveCount: 5 },
    });
    this.doorbellFailures = this.#queue('DoorbellFailures', { retentionPeriod: FAILURES_KEPT });
    this.doorbell = this.#queue('Doorbell', {
      retentionPeriod: Duration.days(4),
      visibilityTimeout: Duration.seconds(6 * APPLY_TIMEOUT.toSeconds()),
      deadLetterQueue: { queue: this.doorbellFailures, maxReceiveCount: 5 },
    });
    this.rescopeFailures = this.#queue('RescopeFailures', { retentionPeriod: FAILURES_KEPT });
    this.rescope = this.#queue('Rescope', {
      retentionPeriod: Duration.days(14),
      visibilityTimeout: Duration.seconds(6 * RESCOPE_TIMEOUT.toSeconds()),
      deadLetterQueue: { queue: this.rescopeFailures, maxReceiveCount: 10 },
    });
    Validations.of(this.rescopeFailures).acknowledge({
      id: 'Serverless-SQSRedrivePolicy',
      reason: 'This is the dead-letter queue of the rescope queue.',
    });
    Validations.of(this.doorbellFailures).acknowledge({
      id: 'Serverless-SQSRedrivePolicy',
      reason: 'This is the dead-letter queue of the doorbell.',
    });
    Validations.of(this.feedWriterFailures).acknowledge(
      { id: 'AwsSolutions-SQS3', reason: 'The end of the line for stream batches that could not be processed; people read it.' },
      { id: 'Serverless-SQSRedrivePolicy', reason: 'The end of the line for stream batches that could not be processed; people read it.' },
    );
    Validations.of(this.compactionFailures).acknowledge({
      id: 'Serverless-SQSRedrivePolicy',
      reason: 'This is the dead-letter queue of the compaction queue.',
    });
  }

  /** Where work ends that was given up, by the name that alarms have for it. */
  get deadLetters(): Readonly<Record<string, Queue>> {
    return {
      'compaction-failures': this.compactionFailures,
      'feed-writer-failures': this.feedWriterFailures,
      'doorbell-failures': this.doorbellFailures,
      'rescope-failures': this.rescopeFailures,
    };
  }

  get tables(): Readonly<Record<string, { readonly table: ITableV2; readonly indexes: readonly string[] }>> {
    return {
      records: { table: this.records, indexes: [OWNER_INDEX] },
      feeds: { table: this.feeds, indexes: [] },
      stores: { table: this.stores, indexes: [] },
      audit: { table: this.audit, indexes: [] },
      uploads: { table: this.uploads, indexes: [] },
    };
  }

  /** A stack cannot take in a table in place of one that it has, so it only uses this one; the one it had is kept, outside of it. */
  #restored(id: string, tableName: string, streamLabel?: string): ITableV2 {
    const tableArn = Stack.of(this).formatArn({ service: 'dynamodb', resource: 'table', resourceName: tableName });
    return TableV2.fromTableAttributes(this, id, {
      tableArn,
      ...(streamLabel === undefined ? {} : { tableStreamArn: `${tableArn}/stream/${streamLabel}` }),
    });
  }

  #table(id: string, organization: Organization, props: Partial<TablePropsV2> = {}): ITableV2 {
    const table = new TableV2(this, id, {
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      sortKey: { name: 'sk', type: AttributeType.STRING },
      billing: Billing.onDemand(),
      // At least the account's own key rather than DynamoDB's: its use is in the audit trail, and it costs nothing to hold.
      encryption: this.#key === undefined ? TableEncryptionV2.awsManagedKey() : TableEncryptionV2.customerManagedKey(this.#key),
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: organization.retainData,
      removalPolicy: removalPolicy(organization),
      ...props,
    });
    keepLogicalId(table, id);
    return table as ITableV2;
  }

  #bucket(id: string, organization: Organization, rules: readonly LifecycleRule[]): Bucket {
    const bucket = new Bucket(this, id, {
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      ...(this.#key === undefined
        ? { encryption: BucketEncryption.S3_MANAGED }
        : // One key of the bucket for many objects: a request of the service for each would cost more than the objects.
          { encryption: BucketEncryption.KMS, encryptionKey: this.#key, bucketKeyEnabled: true }),
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      // Objects are named by their content and never overwritten: a version would hold nothing.
      versioned: false,
      lifecycleRules: [{ abortIncompleteMultipartUploadAfter: Duration.days(1) }, ...rules],
      removalPolicy: removalPolicy(organization),
    });
    // Addresses are signed for less; whoever signs for longer, with whatever key, is refused all the same.
    bucket.addToResourcePolicy(
      new PolicyStatement({
        effect: Effect.DENY,
        principals: [new AnyPrincipal()],
        actions: ['s3:GetObject', 's3:PutObject'],
        resources: [bucket.arnForObjects('*')],
        conditions: { NumericGreaterThan: { 's3:signatureAge': 2 * limits.presignedUrlSeconds * 1_000 } },
      }),
    );
    keepLogicalId(bucket, id);
    return bucket;
  }

  #queue(id: string, props: ConstructorParameters<typeof Queue>[2]): Queue {
    const encryption =
      this.#key === undefined
        ? { encryption: QueueEncryption.SQS_MANAGED }
        : { encryption: QueueEncryption.KMS, encryptionMasterKey: this.#key, dataKeyReuse: Duration.hours(1) };
    const queue = new Queue(this, id, { ...props, ...encryption, enforceSSL: true });
    keepLogicalId(queue, id);
    return queue;
  }
}

function removalPolicy(organization: Organization): RemovalPolicy {
  return organization.retainData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY;
}

function keepLogicalId(construct: Construct, id: string): void {
  const resource = must(construct.node.defaultChild, `${id} has a resource`);
  if (CfnResource.isCfnResource(resource)) resource.overrideLogicalId(id);
}
