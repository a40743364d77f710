/**
 * An event source mapping from a queue to a function: long polls, as many batches at once as the mapping allows. What
 * succeeded is deleted; what failed comes back and ends in the queue's dead-letter queue by its own policy.
 *
 * One thing is quicker than in the cloud: a failed message comes back after a few seconds instead of after the
 * queue's visibility timeout, which is half an hour for compaction.
 */
import {
  ChangeMessageVisibilityCommand,
  DeleteMessageBatchCommand,
  type Message,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LocalFunctions } from '../runner/local-functions.ts';
import type { QueueMapping } from '../wiring.ts';

interface Options {
  readonly mapping: QueueMapping;
  readonly functions: LocalFunctions;
  readonly client: SQSClient;
  readonly region: string;
  readonly log: (message: string) => void;
}

const WAIT_SECONDS = 20;
const RETRY_SECONDS_MAX = 60;

export class QueuePoller {
  readonly #options: Options;
  readonly #stopping = new AbortController();
  readonly #ended: Promise<void>;

  constructor(options: Options) {
    this.#options = options;
    this.#ended = this.#poll();
  }

  async close(): Promise<void> {
    this.#stopping.abort();
    await this.#ended;
  }

  /** One receiver, because every long poll holds a connection, and the client has fifty of them for everybody. */
  async #poll(): Promise<void> {
    const { signal } = this.#stopping;
    const { mapping, log } = this.#options;
    const batches = new Set<Promise<void>>();
    while (!signal.aborted) {
      try {
        const messages = await this.#receive();
        if (messages.length === 0) continue;
        const batch = this.#process(messages)
          .catch((error: unknown) => {
            if (!signal.aborted) log(`queue ${mapping.queue.name}: a batch comes again: ${(error as Error).message}`);
          })
          .finally(() => batches.delete(batch));
        batches.add(batch);
        if (batches.size >= mapping.concurrency) await Promise.race(batches);
      } catch (error) {
        if (signal.aborted) break;
        log(`queue ${mapping.queue.name} waits: ${(error as Error).message}`);
        await sleep(1_000, undefined, { signal }).catch(() => {});
      }
    }
    await Promise.all(batches);
  }

  async #receive(): Promise<Message[]> {
    const { mapping, client } = this.#options;
    const request = new ReceiveMessageCommand({
      QueueUrl: mapping.queue.url,
      MaxNumberOfMessages: Math.min(10, mapping.batchSize),
      WaitTimeSeconds: WAIT_SECONDS,
      MessageSystemAttributeNames: ['All'],
      MessageAttributeNames: ['All'],
    });
    const { Messages = [] } = await client.send(request, { abortSignal: this.#stopping.signal });
    return Messages;
  }

  async #process(messages: readonly Message[]): Promise<void> {
    const { mapping, functions, log } = this.#options;
    const event = JSON.stringify({ Records: messages.map((message) => this.#eventRecord(message)) });
    const { result, requestId } = await functions.invoke(mapping.function.name, event);
    if (this.#stopping.signal.aborted) return;
    const failed = result.ok ? failedIds(mapping.reportItemFailures, result.payload) : 'all';
    const isFailed = ({ MessageId = '' }: Message) => failed === 'all' || failed.has(MessageId);
    const failures = messages.filter((message) => isFailed(message));
    await this.#delete(messages.filter((message) => !isFailed(message)));
    if (failures.length === 0) return;
    const why = result.ok ? 'reported by the function' : `${result.error.errorType}: ${result.error.errorMessage}`;
    log(`${mapping.function.name} failed on ${failures.length} of ${messages.length} messages (request ${requestId}): ${why}`);
    for (const message of failures) await this.#comeBack(message);
  }

  async #delete(messages: readonly Message[]): Promise<void> {
    if (messages.length === 0) return;
    const Entries = messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
    await this.#options.client.send(new DeleteMessageBatchCommand({ QueueUrl: this.#options.mapping.queue.url, Entries }));
  }

  async #comeBack(message: Message): Promise<void> {
    const { mapping, client } = this.#options;
    const received = Number(message.Attributes?.ApproximateReceiveCount ?? 1);
    const visibility = Number(mapping.queue.attributes['VisibilityTimeout']);
    await client.send(
      new ChangeMessageVisibilityCommand({
        QueueUrl: mapping.queue.url,
        ReceiptHandle: message.ReceiptHandle,
        VisibilityTimeout: Math.min(visibility, RETRY_SECONDS_MAX, 2 ** (received - 1)),
      }),
    );
  }

  #eventRecord(message: Message): object {
    const { mapping, region } = this.#options;
    const attributes = Object.entries(message.MessageAttributes ?? {}).map(([name, { DataType, StringValue, BinaryValue }]) => [
      name,
      {
        dataType: DataType,
        ...(StringValue === undefined ? {} : { stringValue: StringValue }),
        ...(BinaryValue === undefined ? {} : { binaryValue: Buffer.from(BinaryValue).toString('base64') }),
      },
    ]);
    return {
      messageId: message.MessageId,
      receiptHandle: message.ReceiptHandle,
      body: message.Body,
      attributes: message.Attributes ?? {},
      messageAttributes: Object.fromEntries(attributes) as Record<string, object>,
      md5OfBody: message.MD5OfBody,
      eventSource: 'aws:sqs',
      eventSourceARN: mapping.queue.arn,
      awsRegion: region,
    };
  }
}

/** As Lambda: no list means success; a list that cannot be understood fails the whole batch. */
function failedIds(reportItemFailures: boolean, payload: string): Set<string> | 'all' {
  if (!reportItemFailures) return new Set();
  const failures = (JSON.parse(payload) as { batchItemFailures?: unknown } | null)?.batchItemFailures;
  if (failures === undefined || failures === null) return new Set();
  if (!Array.isArray(failures)) return 'all';
  const ids = failures.map((failure: { itemIdentifier?: unknown } | null) => failure?.itemIdentifier);
  return ids.every((id) => typeof id === 'string' && id !== '') ? new Set(ids as string[]) : 'all';
}
