/**
 * Who may do what, in one place: each function exactly the calls its code makes, on the tables, prefixes and queues
 * it makes them on. A transaction needs the permissions of its parts.
 */
import { Validations } from 'aws-cdk-lib';
import type { TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import { must } from '../../protocol/assert.ts';
import type { Data } from './data.ts';
import { freshWorkflowArn } from './fresh-workflow.ts';
import type { Functions } from './functions.ts';

const READ = ['dynamodb:GetItem', 'dynamodb:BatchGetItem', 'dynamodb:Query'];
const PUT = ['dynamodb:PutItem'];

/** What stands in the table `stores`, by the beginning of its key. */
const STORE = 'store#*';
const DIRECTORY = 'stores';
const CODE = 'code#*';
const WRONG_CODES = 'wrong-codes';
const SLOT = 'fresh-slot#*';
const LOOKUPS = 'lookups#*';
const QUARANTINE = 'quarantine';
const ERASURE = 'erasure';
const UNDERTAKING = 'undertaking';
const ROLLOUT = 'rollout';

export function grantAccess(data: Data, functions: Functions): void {
  // The table itself and not its indexes, which the CDK's own grants would add.
  const allow = (name: Parameters<Functions['get']>[0], table: TableV2, ...actions: string[]) =>
    allowOn(functions.get(name), { actions, arn: table.tableArn });
  /** Codes, erasures, undertakings and stores stand in one table; a function that is of one of them has nothing to do with the others. */
  const allowStores = (name: Parameters<Functions['get']>[0], keys: readonly string[], ...actions: string[]) =>
    allowOn(functions.get(name), { actions, arn: data.stores.tableArn, keys });

  // A page and the move of its feed's head are one transaction; what cannot be understood goes to quarantine.
  allow('feed-writer', data.feeds, ...READ, ...PUT, 'dynamodb:UpdateItem');
  allowStores('feed-writer', [QUARANTINE], ...PUT);
  for (const name of ['feed-writer', 'compact'] as const) data.compaction.grantSendMessages(functions.get(name));
  // A record that was changed without a new revision gets one; nothing else of main data is touched.
  allow('feed-writer', data.records, 'dynamodb:UpdateItem');

  data.rescope.grantSendMessages(functions.get('feed-writer'));
  // Records are placed where their customer is; what belongs to a customer is found by an index.
  allow('rescope', data.records, 'dynamodb:BatchGetItem', ...PUT);
  allowOn(functions.get('rescope'), { actions: ['dynamodb:Query'], arn: `${data.records.tableArn}/index/owner` });
  data.rescope.grantSendMessages(functions.get('rescope'));

  // Sealed pages are thrown away; the schedule asks for a snapshot of what changed.
  allow('compact', data.feeds, ...READ, ...PUT, 'dynamodb:BatchWriteItem');
  grantObjects(data, functions.get('compact'), ['s3:GetObject', 's3:PutObject']);

  // A code is bound to its key in the transaction that makes the replica, opens its store and revokes those whose place it takes.
  allowStores('enrol', [CODE, STORE, WRONG_CODES], ...READ, ...PUT, 'dynamodb:UpdateItem');

  // The first plan of a new scope puts the empty feed; every signed URL is as good as this role.
  allow('plan', data.feeds, ...READ, ...PUT);
  // A store that loads everything takes a slot, and its report gives it back. When a replica was heard of is kept in its row.
  allowStores('plan', [STORE, SLOT], ...READ, ...PUT, 'dynamodb:UpdateItem');
  // How far a replica's operations are stored.
  allow('plan', data.uploads, 'dynamodb:GetItem');
  grantObjects(data, functions.get('plan'), ['s3:GetObject']);
  data.compaction.grantSendMessages(functions.get('plan'));

  allow('report', data.feeds, ...READ);
  allowStores('report', [STORE, SLOT], ...READ, ...PUT, 'dynamodb:UpdateItem', 'dynamodb:DeleteItem');

  // Stored first, then rung for.
  allowStores('push', [STORE], ...READ, 'dynamodb:UpdateItem');
  allow('push', data.uploads, ...READ, ...PUT, 'dynamodb:UpdateItem', 'dynamodb:DeleteItem');
  // An object is looked for and checked; the address that a store puts it to is as good as this role.
  grantUploads(data, functions.get('push'), ['s3:GetObject', 's3:PutObject']);
  data.doorbell.grantSendMessages(functions.get('push'));
  // A replica that was restored or copied becomes a new one of the same store.
  allowStores('fork', [STORE], ...READ, ...PUT, 'dynamodb:UpdateItem', 'dynamodb:ConditionCheckItem');
  // Which key a replica signs with is kept in its row; every door takes the next one when it is used first.
  allowStores('rotate-key', [STORE], ...READ, 'dynamodb:UpdateItem');
  // One customer of main data; how many were looked up is counted in the stores table.
  allow('lookup', data.records, 'dynamodb:BatchGetItem');
  allowOn(functions.get('lookup'), { actions: ['dynamodb:Query'], arn: `${data.records.tableArn}/index/owner` });
  allowStores('lookup', [STORE, LOOKUPS], ...READ, 'dynamodb:UpdateItem');
  // The redemption, the entry of the ledger and the balance are one transaction.
  allow('redeem', data.records, 'dynamodb:BatchGetItem', ...PUT);
  allowStores('redeem', [STORE], ...READ, 'dynamodb:UpdateItem');
  // Main data, the watermark, the receipts and the replica's own row are one transaction; once an hour it looks at every store.
  allow('apply', data.records, ...READ, ...PUT);
  allowStores('apply', [DIRECTORY, STORE], ...READ, 'dynamodb:ConditionCheckItem');
  allow('apply', data.uploads, ...READ, ...PUT, 'dynamodb:UpdateItem', 'dynamodb:DeleteItem');
  // What is applied is thrown away.
  grantUploads(data, functions.get('apply'), ['s3:GetObject', 's3:DeleteObject']);
  data.doorbell.grantSendMessages(functions.get('apply'));

  // Feeds that a store needs and that do not exist yet are made; a compaction gives them their first snapshot.
  allow('fresh-run', data.feeds, ...READ, ...PUT);
  allowStores('fresh-run', [STORE], ...READ, ...PUT);
  allow('fresh-run', data.uploads, ...READ);
  data.doorbell.grantSendMessages(functions.get('fresh-run'));
  data.compaction.grantSendMessages(functions.get('fresh-run'));

  // Runs and commands stand beside their store; a fresh run gets its workflow, and its check reads what the store has proved.
  allowStores('contact', [STORE], ...READ, ...PUT, 'dynamodb:UpdateItem', 'dynamodb:DeleteItem');
  allow('contact', data.feeds, ...READ);
  allow('contact', data.uploads, ...READ);
  allowOn(functions.get('contact'), { actions: ['states:StartExecution'], arn: freshWorkflowArn(functions) });

  allowStores('watch-stores', [DIRECTORY, STORE], ...READ);
  grantRollout(data, functions);

  // Records come again by the stream with a raised revision; a feed gets tombstones of what main data has no more.
  allow('rebuild', data.records, ...READ, 'dynamodb:UpdateItem');
  allow('rebuild', data.feeds, ...READ, ...PUT, 'dynamodb:UpdateItem');
  // Whether the rebuild that a step is part of is under way.
  allowStores('rebuild', [UNDERTAKING], 'dynamodb:GetItem');
  grantObjects(data, functions.get('rebuild'), ['s3:GetObject']);

  // Takes a person out of main data, uploads, feeds, bucket and quarantine, and what nobody needs out of the bucket.
  allow('erase', data.records, ...READ, ...PUT, 'dynamodb:DeleteItem');
  allow('erase', data.feeds, ...READ, ...PUT, 'dynamodb:UpdateItem', 'dynamodb:BatchWriteItem');
  // Which stores have done it, and whether it is under way; what it writes is its own, and what it takes away is in quarantine.
  allowStores('erase', [DIRECTORY, STORE, UNDERTAKING, ERASURE, QUARANTINE], ...READ);
  allowStores('erase', [ERASURE], ...PUT);
  allowStores('erase', [QUARANTINE], 'dynamodb:DeleteItem');
  allow('erase', data.uploads, ...READ, ...PUT, 'dynamodb:UpdateItem', 'dynamodb:DeleteItem');
  grantObjects(data, functions.get('erase'), ['s3:GetObject', 's3:PutObject', 's3:DeleteObject']);

  for (const name of ['console-api', 'console'] as const) {
    allow(name, data.records, ...READ, ...PUT);
    allow(name, data.feeds, ...READ);
    // Exceptions are mended and discarded by people.
    allow(name, data.uploads, ...READ, ...PUT, 'dynamodb:UpdateItem', 'dynamodb:DeleteItem');
    // A store's zone and edition are changed where they stand.
    allowStores(name, [DIRECTORY, STORE, CODE, UNDERTAKING, QUARANTINE, ROLLOUT], ...READ);
    allowStores(name, [DIRECTORY, STORE, CODE, UNDERTAKING, ROLLOUT], ...PUT, 'dynamodb:UpdateItem');
    // The audit is added to, by these two only, and changed by nobody.
    allow(name, data.audit, ...PUT, 'dynamodb:Query');
  }
}

function grantRollout(data: Data, functions: Functions): void {
  const allow = (name: Parameters<Functions['get']>[0], keys: readonly string[], ...actions: string[]) =>
    allowOn(functions.get(name), { actions, arn: data.stores.tableArn, keys });
  // Which settings a store has.
  allow('plan', [ROLLOUT], 'dynamodb:GetItem');
  // What canary stores reported is read; the rollout is all that is written.
  allow('watch-rollout', [ROLLOUT, STORE], ...READ);
  allow('watch-rollout', [ROLLOUT], ...PUT);
}

interface Allowance {
  readonly actions: string[];
  readonly arn: string;
  /** Only where the key begins so; a star at its end. */
  readonly keys?: readonly string[];
}

function allowOn(grantee: IFunction, { actions, arn, keys }: Allowance): void {
  const conditions = keys === undefined ? {} : { conditions: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': keys } } };
  must(grantee.role, 'the function has a role').addToPrincipalPolicy(new PolicyStatement({ actions, resources: [arn], ...conditions }));
}

function grantObjects(data: Data, grantee: IFunction, actions: string[]): void {
  grantBucket(grantee, { bucket: data.snapshots, prefixes: ['chunks/*', 'manifests/*', 'segments/*'], actions });
}

function grantUploads(data: Data, grantee: IFunction, actions: string[]): void {
  grantBucket(grantee, { bucket: data.uploadObjects, prefixes: ['uploads/*'], actions });
}

interface BucketGrant {
  readonly bucket: Bucket;
  readonly prefixes: readonly string[];
  readonly actions: string[];
}

function grantBucket(grantee: IFunction, { bucket, prefixes, actions }: BucketGrant): void {
  const role = must(grantee.role, 'the function has a role');
  role.addToPrincipalPolicy(new PolicyStatement({ actions, resources: prefixes.map((prefix) => bucket.arnForObjects(prefix)) }));
  // Without it S3 answers 403 for an object that is not there, and the two cannot be told apart.
  role.addToPrincipalPolicy(new PolicyStatement({ actions: ['s3:ListBucket'], resources: [bucket.bucketArn] }));
  for (const prefix of prefixes) {
    Validations.of(role).acknowledge({
      id: `AwsSolutions-IAM5[Resource::<${bucket.node.id}.Arn>/${prefix}]`,
      reason: 'Objects are named by their content, so their names cannot be listed beforehand; the prefix is as narrow as it gets.',
    });
  }
}
