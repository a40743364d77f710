import { SendMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs';
import type { CompactionRequests, CompactionWork } from '../../core/ports/compaction-requests.ts';
import type { FeedName } from '../../protocol/feed.ts';
import { translated } from './aws-errors.ts';
import { sendAll } from './leftovers.ts';

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
      await sendAll('ask for a compaction', feeds.slice(start, start + 10), (some) => this.#send(some, work));
    }
  }

  /** The feeds whose message the queue did not take. */
  async #send(feeds: readonly FeedName[], work: CompactionWork): Promise<FeedName[]> {
    const Entries = feeds.map((feed, index) => ({ Id: String(index), MessageBody: JSON.stringify({ feed, work }) }));
    const batch = new SendMessageBatchCommand({ QueueUrl: this.#queueUrl, Entries });
    const { Failed = [] } = await translated('ask for a compaction', this.#client.send(batch));
    const failed = new Set(Failed.map(({ Id }) => Id));
    return feeds.filter((_, index) => failed.has(String(index)));
  }
}
