/**
 * SQS in memory: `fauxqs`, in this process and on the loopback address only. Its messages are gone after a restart,
 * which is allowed by design: the compaction schedule finds the same work again, and a stream batch that was set aside
 * is also in the log. Only a customer of a working set that was about to be placed waits for its next change.
 */
import { SQSClient, CreateQueueCommand, GetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { buildApp } from 'fauxqs';
import type { QueueDefinition } from '../wiring.ts';
import { CREDENTIALS } from './credentials.ts';

export interface SqsEmulator {
  readonly endpoint: string;
  readonly client: SQSClient;
  createQueues(queues: readonly QueueDefinition[]): Promise<void>;
  /** Messages not yet deleted, received or not. */
  countMessages(queue: QueueDefinition): Promise<number>;
  close(): Promise<void>;
}

export async function startSqs(region: string): Promise<SqsEmulator> {
  const app = buildApp({ logger: false, defaultRegion: region });
  const endpoint = await app.listen({ host: '127.0.0.1', port: 0 });
  const client = new SQSClient({ endpoint, region, credentials: CREDENTIALS });
  return {
    endpoint,
    client,
    createQueues: async (queues) => {
      for (const { name, attributes } of queues)
        await client.send(new CreateQueueCommand({ QueueName: name, Attributes: { ...attributes } }));
    },
    // Without those that are delayed: they are work that is done a second time, to be sure.
    countMessages: async ({ url }) => {
      const { Attributes = {} } = await client.send(new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['All'] }));
      const counts = [Attributes['ApproximateNumberOfMessages'], Attributes['ApproximateNumberOfMessagesNotVisible']];
      return counts.reduce((sum, count) => sum + Number(count ?? 0), 0);
    },
    close: async () => {
      client.destroy();
      await app.close();
    },
  };
}
