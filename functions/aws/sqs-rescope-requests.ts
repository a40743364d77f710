import { SendMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { RescopeRequests } from '../../core/ports/rescope-requests.ts';
import type { RescopeWork } from '../../core/working-set/rescope-trigger.ts';
import { translated } from './aws-errors.ts';
import { sendAll } from './leftovers.ts';

/** Many to a message: a message costs as much as its request, and each takes a few milliseconds. */
const WORK_PER_MESSAGE = 50;
const MESSAGES_AT_ONCE = 10;
const AGAIN_SECONDS = 60;

export class SqsRescopeRequests implements RescopeRequests {
  readonly #client: SQSClient;
  readonly #queueUrl: string;

  constructor(client: SQSClient, queueUrl: string) {
    this.#client = client;
    this.#queueUrl = queueUrl;
  }

  async send(work: readonly RescopeWork[]): Promise<void> {
    const [later, now] = [work.filter(({ kind }) => kind === 'again'), work.filter(({ kind }) => kind !== 'again')];
    await this.#sendAll(now, 0);
    await this.#sendAll(later, AGAIN_SECONDS);
  }

  async #sendAll(work: readonly RescopeWork[], delaySeconds: number): Promise<void> {
    const messages: (readonly RescopeWork[])[] = [];
    for (let at = 0; at < work.length; at += WORK_PER_MESSAGE) messages.push(work.slice(at, at + WORK_PER_MESSAGE));
    for (let at = 0; at < messages.length; at += MESSAGES_AT_ONCE)
      await sendAll('ask for a rescope', messages.slice(at, at + MESSAGES_AT_ONCE), (some) => this.#send(some, delaySeconds));
  }

  /** Those that the queue did not take. */
  async #send(messages: readonly (readonly RescopeWork[])[], DelaySeconds: number): Promise<(readonly RescopeWork[])[]> {
    const Entries = messages.map((work, index) => ({
      Id: String(index),
      MessageBody: JSON.stringify({ work }),
      DelaySeconds,
    }));
    const batch = new SendMessageBatchCommand({ QueueUrl: this.#queueUrl, Entries });
    const { Failed = [] } = await translated('ask for a rescope', this.#client.send(batch));
    const failed = new Set(Failed.map(({ Id }) => Id));
    return messages.filter((_, index) => failed.has(String(index)));
  }
}
