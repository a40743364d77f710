import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { Doorbell } from '../../core/ports/upload-store.ts';
import { translated } from './aws-errors.ts';

/** One message says that a replica has work. Grouped by replica, so that one with much work does not keep others waiting. */
export class SqsDoorbell implements Doorbell {
  readonly #client: SQSClient;
  readonly #queueUrl: string;

  constructor(client: SQSClient, queueUrl: string) {
    this.#client = client;
    this.#queueUrl = queueUrl;
  }

  async ring(replicaId: string, correlationId?: string): Promise<void> {
    // A group takes letters, digits and punctuation up to 128 characters.
    const MessageBody = JSON.stringify({ replicaId, correlationId });
    const message = { QueueUrl: this.#queueUrl, MessageBody, MessageGroupId: replicaId.slice(0, 128) };
    await translated('ring the doorbell', this.#client.send(new SendMessageCommand(message)));
  }
}
