/**
 * What starts a function without being asked: the stream of main data, the compaction queue, the schedule.
 *
 * One batch at a time per shard and from the beginning of the stream, because pages are numbered without gaps. A
 * batch that fails is halved until the record to blame stands alone; that one is set aside within the stream's 24
 * hours instead of holding up everything behind it.
 */
import { Duration, Validations } from 'aws-cdk-lib';
import { Rule, RuleTargetInput, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { StartingPosition } from 'aws-cdk-lib/aws-lambda';
import { DynamoEventSource, SqsDlq, SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import type { Construct } from 'constructs';
import { APPLY_JOBS } from '../../protocol/apply-jobs.ts';
import type { Organization } from '../../protocol/organization.ts';
import type { Data } from './data.ts';
import type { FunctionName, Functions } from './functions.ts';

interface TriggersProps {
  readonly organization: Organization;
  readonly data: Data;
  readonly functions: Functions;
}

/** A rule of the clock, and what it calls. */
export interface Turn {
  readonly of: FunctionName;
  readonly rule: Rule;
  readonly every: Duration;
}

export function addTriggers(scope: Construct, props: TriggersProps): Turn[] {
  addStream(props);
  for (const [name, queue, maxConcurrency] of [
    ['compact', props.data.compaction, 10],
    ['apply', props.data.doorbell, 50],
    ['rescope', props.data.rescope, 10],
  ] as const) {
    const made = props.functions.get(name);
    made.addEventSource(
      new SqsEventSource(queue, {
        batchSize: 10,
        reportBatchItemFailures: true,
        // More than the function may run at once would be refused, counted as an attempt, and given up in the end.
        maxConcurrency: Math.min(maxConcurrency, props.organization.reservedConcurrency[name] ?? maxConcurrency),
      }),
    );
    Validations.of(made).acknowledge({
      id: 'Serverless-LambdaEventSourceMappingDestination',
      reason: "A queue's failed messages go to its own dead-letter queue; Lambda offers no other destination for queues.",
    });
  }
  return addSchedules(scope, props);
}

function addStream({ data, functions }: TriggersProps): void {
  functions.get('feed-writer').addEventSource(
    // The cast: the class says `string | undefined` where its interface says optional.
    new DynamoEventSource(data.records, {
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
}

interface Clockwork {
  readonly rate: Duration;
  readonly description: string;
  /** A call for each; one with the event of the rule if it is not said. */
  readonly inputs?: readonly object[];
}

/** A turn that fails leaves nothing behind: the next one looks at the same again. */
function addSchedules(scope: Construct, { organization, functions }: TriggersProps): Turn[] {
  const schedules: readonly (readonly [string, FunctionName, Clockwork])[] = [
    [
      'CompactionSchedule',
      'compact',
      { rate: Duration.minutes(organization.compactionMinutes), description: 'Snapshots are asked for of what changed' },
    ],
    ['ReviewSchedule', 'rescope', { rate: Duration.days(1), description: 'Customers whom a store has not billed for long leave it' }],
    [
      'HeldSchedule',
      'apply',
      {
        rate: Duration.hours(1),
        description: 'Uploads that nobody rang for, objects that nobody needs, and what waits for a record',
        inputs: APPLY_JOBS.map((job) => ({ job })),
      },
    ],
    ['WatchSchedule', 'watch-stores', { rate: Duration.hours(1), description: 'Stores that were not heard of when expected are logged' }],
    ['RolloutSchedule', 'watch-rollout', { rate: Duration.minutes(5), description: 'Changed store settings go on, or are stopped' }],
    [
      'SweepSchedule',
      'erase',
      { rate: Duration.days(1), description: 'Objects that nobody needs any more are taken away, and tombstones of erased customers' },
    ],
  ];
  return schedules.map(([id, name, { rate, description, inputs }]) => {
    const events = inputs === undefined ? [{}] : inputs.map((input) => ({ event: RuleTargetInput.fromObject(input) }));
    const rule = new Rule(scope, id, {
      description,
      schedule: Schedule.rate(rate),
      targets: events.map((event) => new LambdaFunction(functions.get(name), { ...event, retryAttempts: 2 })),
    });
    Validations.of(rule).acknowledge({
      id: 'Serverless-EventBusDLQ',
      reason: 'A turn that fails leaves nothing behind: the next one looks at the same again.',
    });
    return { of: name, rule, every: rate };
  });
}
