/**
 * How a role gets a permission: by name of the function, on one table, index, prefix or queue. The CDK's own grants would add what
 * is beside it: indexes, every version, the use of a key without the service that holds the data.
 */
import { Validations } from 'aws-cdk-lib';
import type { ITableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { OWNER_INDEX, type Data } from './data.ts';
import type { FunctionName, Functions } from './functions.ts';

/** A transaction needs the permissions of its parts. */
export type TableCall =
  | 'GetItem'
  | 'BatchGetItem'
  | 'Query'
  | 'PutItem'
  | 'UpdateItem'
  | 'DeleteItem'
  | 'BatchWriteItem'
  | 'ConditionCheckItem';
type ObjectCall = 'GetObject' | 'PutObject' | 'DeleteObject';
type Prefix = 'chunks/*' | 'manifests/*' | 'segments/*' | 'uploads/*';

export class Grants {
  readonly data: Data;
  readonly #functions: Functions;

  constructor(data: Data, functions: Functions) {
    this.data = data;
    this.#functions = functions;
  }

  /** The table itself and not its indexes. */
  table(name: FunctionName, { tableArn }: ITableV2, ...calls: TableCall[]): void {
    this.allow(name, ofTables(calls), tableArn);
  }

  /** In the table of stores, where the key begins so: a function that is of one kind of item has nothing to do with the others. */
  stores(name: FunctionName, keys: readonly string[], ...calls: TableCall[]): void {
    const conditions = { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': keys } };
    const { tableArn } = this.data.stores;
    this.#add(name, new PolicyStatement({ actions: ofTables(calls), resources: [tableArn], conditions }));
  }

  /** What belongs to a customer. */
  owned(name: FunctionName): void {
    this.allow(name, ['dynamodb:Query'], `${this.data.records.tableArn}/index/${OWNER_INDEX}`);
  }

  objects(name: FunctionName, prefixes: readonly Prefix[], ...calls: ObjectCall[]): void {
    this.#bucket(name, { bucket: this.data.snapshots, prefixes, calls });
  }

  uploadObjects(name: FunctionName, ...calls: ObjectCall[]): void {
    this.#bucket(name, { bucket: this.data.uploadObjects, prefixes: ['uploads/*'], calls });
  }

  sends(name: FunctionName, ...queues: readonly Queue[]): void {
    for (const { queueArn } of queues) this.allow(name, ['sqs:SendMessage'], queueArn);
  }

  /** Lambda works a queue off with the permissions of the function that it calls. */
  receives(name: FunctionName, { queueArn }: Queue): void {
    this.allow(name, ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'], queueArn);
  }

  allow(name: FunctionName, actions: string[], arn: string): void {
    this.#add(name, new PolicyStatement({ actions, resources: [arn] }));
  }

  #bucket(
    name: FunctionName,
    { bucket, prefixes, calls }: { readonly bucket: Bucket; readonly prefixes: readonly Prefix[]; readonly calls: readonly ObjectCall[] },
  ): void {
    const actions = calls.map((call) => `s3:${call}`);
    this.#add(name, new PolicyStatement({ actions, resources: prefixes.map((prefix) => bucket.arnForObjects(prefix)) }));
    // Without it S3 answers 403 for an object that is not there, and the two cannot be told apart.
    this.allow(name, ['s3:ListBucket'], bucket.bucketArn);
    for (const prefix of prefixes) {
      Validations.of(this.#functions.role(name)).acknowledge({
        id: `AwsSolutions-IAM5[Resource::<${bucket.node.id}.Arn>/${prefix}]`,
        reason: 'Objects are named by their content, so their names cannot be listed beforehand; the prefix is as narrow as it gets.',
      });
    }
  }

  #add(name: FunctionName, statement: PolicyStatement): void {
    this.#functions.role(name).addToPolicy(statement);
  }
}

function ofTables(calls: readonly TableCall[]): string[] {
  return calls.map((call) => `dynamodb:${call}`);
}
