/**
 * What starts a function without being asked: the stream of main data, the compaction queue, the schedule.
 *
 * One batch at a time per shard and from the beginning of the stream, because pages are numbered without gaps. A
 * batch that fails is halved until the record to blame stands alone; that one is set aside within the stream's 24
 * hours instead of holding up everything behind it.
 */
import { Duration, Validations } from 'aws-cdk-lib';
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { StartingPosition } from 'aws-cdk-lib/aws-lambda';
import { DynamoEventSource, SqsDlq, SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import type { Construct } from 'constructs';
import type { Organization } from '../../protocol/organization.ts';
import type { Data } from './data.ts';
import type { Functions } from './functions.ts';

interface TriggersProps {
  readonly organization: Organization;
  readonly data: Data;
  readonly functions: Functions;
}

export function addTriggers(scope: Construct, { organization, data, functions }: TriggersProps): Rule {
  const compact = functions.get('compact');
  functions.get('feed-writer').addEventSource(
    // The cast: the class says `string | undefined` where its interface says optional.
    new DynamoEventSource(data.records as ITable, {
      startingPosition: StartingPosition.TRIM_HORIZON,
      batchSize: 1000,
      parallelizationFactor: 1,
      bisectBatchOnError: true,
      reportBatchItemFailures: true,
      // With back-off more than an hour: trouble of the feeds table must not set records aside, a bug must not hold up a day.
      retryAttempts: 100,
      // Records leave the stream after 24 h, and a batch set aside names them by position only.
      maxRecordAge: Duration.hours(20),
      onFailure: new SqsDlq(data.feedWriterFailures),
    }),
  );
  compact.addEventSource(new SqsEventSource(data.compaction, { batchSize: 10, reportBatchItemFailures: true, maxConcurrency: 2 }));
  Validations.of(compact).acknowledge({
    id: 'Serverless-LambdaEventSourceMappingDestination',
    reason: "A queue's failed messages go to its own dead-letter queue; Lambda offers no other destination for queues.",
  });
  const apply = functions.get('apply');
  apply.addEventSource(new SqsEventSource(data.doorbell, { batchSize: 10, reportBatchItemFailures: true, maxConcurrency: 50 }));
  Validations.of(apply).acknowledge({
    id: 'Serverless-LambdaEventSourceMappingDestination',
    reason: "A queue's failed messages go to its own dead-letter queue; Lambda offers no other destination for queues.",
  });
  const held = new Rule(scope, 'HeldSchedule', {
    description: 'What waits for a record is judged again',
    schedule: Schedule.rate(Duration.hours(1)),
    targets: [new LambdaFunction(apply, { retryAttempts: 2 })],
  });
  Validations.of(held).acknowledge({
    id: 'Serverless-EventBusDLQ',
    reason: 'A turn that fails leaves nothing behind: the next one looks at the same operations again.',
  });
  const watch = new Rule(scope, 'WatchSchedule', {
    description: 'Stores that were not heard of for long are logged',
    schedule: Schedule.rate(Duration.days(1)),
    targets: [new LambdaFunction(functions.get('watch-stores'), { retryAttempts: 2 })],
  });
  Validations.of(watch).acknowledge({
    id: 'Serverless-EventBusDLQ',
    reason: 'A turn that fails leaves nothing behind: the next day looks at the same stores again.',
  });
  const sweep = new Rule(scope, 'SweepSchedule', {
    description: 'Objects that nobody needs any more are taken away, and tombstones of erased customers',
    schedule: Schedule.rate(Duration.days(1)),
    targets: [new LambdaFunction(functions.get('erase'), { retryAttempts: 2 })],
  });
  Validations.of(sweep).acknowledge({
    id: 'Serverless-EventBusDLQ',
    reason: 'A turn that fails leaves nothing behind: the next day takes away the same objects.',
  });
  return new Rule(scope, 'CompactionSchedule', {
    description: 'Snapshots are brought up to date',
    schedule: Schedule.rate(Duration.minutes(organization.compactionMinutes)),
    targets: [new LambdaFunction(compact, { deadLetterQueue: data.compactionFailures, retryAttempts: 2, maxEventAge: Duration.hours(1) })],
  });
}
