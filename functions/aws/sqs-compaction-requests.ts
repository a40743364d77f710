import { SendMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { CompactionRequests, CompactionWork } from '../../core/ports/compaction-requests.ts';
import type { FeedName } from '../../protocol/feed.ts';
import { translated } from './aws-errors.ts';

/** One message a feed. Twice the same is harmless: the second finds nothing to do. */
export class SqsCompactionRequests implements CompactionRequests {
  readonly #client: SQSClient;
  readonly #queueUrl: string;

  constructor(client: SQSClient, queueUrl: string) {
    this.#client = client;
    this.#queueUrl = queueUrl;
  }

  async ring(feeds: readonly FeedName[], work: CompactionWork): Promise<void> {
    for (let start = 0; start < feeds.length; start += 10) {
      const Entries = feeds
        .slice(start, start + 10)
        .map((feed, index) => ({ Id: String(index), MessageBody: JSON.stringify({ feed, work }) }));
      await translated('ask for a compaction', this.#client.send(new SendMessageBatchCommand({ QueueUrl: this.#queueUrl, Entries })));
    }
  }
}
