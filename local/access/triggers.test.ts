import { describe, expect, test } from 'vitest';
import { statementSchema } from './statement.ts';
import { requireTriggers } from './triggers.ts';

type Triggers = Parameters<typeof requireTriggers>[0];

const arn = (service: string, resource: string) => `arn:aws:${service}:eu-west-2:000000000000:${resource}`;
const STREAM = arn('dynamodb', 'table/records/stream/local');
const [WORK, FAILURES] = [arn('sqs', 'work'), arn('sqs', 'failures')];
const [STEP, WORKFLOW] = [arn('lambda', 'function:step'), arn('states', 'stateMachine:sync')];
const START = 'arn:aws:states:::states:startExecution';

/** Each action that a trigger takes, and on what. */
type Needs = readonly (readonly [action: string, arn: string])[];
const STREAM_NEEDS: Needs = [
  ...['DescribeStream', 'GetRecords', 'GetShardIterator', 'ListStreams'].map((call) => [`dynamodb:${call}`, STREAM] as const),
  ['sqs:SendMessage', FAILURES],
];
const QUEUE_NEEDS: Needs = ['ReceiveMessage', 'DeleteMessage', 'GetQueueAttributes'].map((call) => [`sqs:${call}`, WORK] as const);
const WORKFLOW_NEEDS: Needs = [
  ['lambda:InvokeFunction', STEP],
  ['states:StartExecution', WORKFLOW],
];

const permitting = (needs: Needs) => needs.map(([Action, Resource]) => statementSchema.parse({ Effect: 'Allow', Action, Resource }));

/** What a trigger does beside what it needs is of no account here. */
const made = (part: object) => ({ streamMappings: [], queueMappings: [], stateMachines: [], ...part }) as unknown as Triggers;
const stream = (needs: Needs | null, onFailure: object | null = { arn: FAILURES }) =>
  made({
    streamMappings: [
      { table: { streamArn: STREAM }, onFailure, function: { name: 'writer', permissions: needs === null ? null : permitting(needs) } },
    ],
  });
const queue = (needs: Needs) =>
  made({ queueMappings: [{ queue: { arn: WORK }, function: { name: 'worker', permissions: permitting(needs) } }] });
const workflow = (needs: Needs) =>
  made({
    stateMachines: [
      {
        name: 'sync',
        permissions: permitting(needs),
        definition: {
          States: { Wait: {}, Step: { Resource: STEP }, Again: { Resource: START, Parameters: { StateMachineArn: WORKFLOW } } },
        },
      },
    ],
  });

describe.each([
  { name: 'a stream', needs: STREAM_NEEDS, trigger: stream },
  { name: 'a queue', needs: QUEUE_NEEDS, trigger: queue },
  { name: 'a workflow', needs: WORKFLOW_NEEDS, trigger: workflow },
])('$name', ({ needs, trigger }) => {
  test('starts with all that it needs', () => expect(() => requireTriggers(trigger(needs))).not.toThrow());

  test.each(needs)('does not without %s', (action, on) => {
    const others = needs.filter(([one]) => one !== action);
    expect(() => requireTriggers(trigger(others))).toThrow(`lacks ${action} on ${on.split(':').slice(5).join(':')}`);
    const elsewhere = needs.map(([one, its]) => [one, one === action ? `${its}-other` : its] as const);
    expect(() => requireTriggers(trigger(elsewhere))).toThrow(`lacks ${action}`);
  });
});

test('a stream that sets nothing aside needs no queue for it', () =>
  expect(() =>
    requireTriggers(
      stream(
        STREAM_NEEDS.filter(([, on]) => on !== FAILURES),
        null,
      ),
    ),
  ).not.toThrow());

test('who has no role in the template may do anything', () => expect(() => requireTriggers(stream(null))).not.toThrow());
