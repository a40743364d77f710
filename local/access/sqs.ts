/** What a request of SQS needs. A queue is named by its address, whose last part is its name in the ARN. */
import type { Needs } from './statement.ts';

/** Calls that functions make, with the permission that each takes. */
const ACTIONS: Readonly<Record<string, string>> = {
  SendMessage: 'sqs:SendMessage',
  SendMessageBatch: 'sqs:SendMessage',
};

export function sqsNeeds(operation: string, body: unknown): Needs {
  const action = ACTIONS[operation];
  const queue = (body as { QueueUrl?: string }).QueueUrl?.split('/').at(-1);
  return action === undefined || queue === undefined ? null : [{ action, resource: queue }];
}
