/**
 * An event source mapping from a table's stream to a function, as Lambda runs it: one batch at a time, in order, from
 * the place it was last finished. The place is saved after success and never before, so a crash repeats a batch and
 * loses none. Its decisions are in `stream-batch.ts`.
 */
import type { SQSClient } from '@aws-sdk/client-sqs';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Invocation, LocalFunctions } from '../runner/local-functions.ts';
import type { StreamMapping } from '../wiring.ts';
import { type Decision, type Outcome, type Segment, backoffMs, batchEnd, decide, expire, outcomeOf } from './stream-batch.ts';
import type { StreamReader } from './stream-reader.ts';
import type { EventRecord } from './stream-records.ts';

interface Options {
  readonly mapping: StreamMapping;
  readonly reader: StreamReader;
  readonly functions: LocalFunctions;
  readonly sqs: SQSClient;
  readonly log: (message: string) => void;
}

/** Between two reads of an empty stream. Lambda asks four times a second. */
const IDLE_MS = 100;
const AFTER_ERROR_MS = 500;

export class StreamPoller {
  readonly #options: Options;
  readonly #stopping = new AbortController();
  readonly #ended: Promise<void>;
  #pending = 0;
  #wake: AbortController | null = null;
  #waiting: (() => void)[] = [];

  constructor(options: Options) {
    this.#options = options;
    this.#ended = this.#poll();
  }

  get name(): string {
    return this.#options.mapping.function.name;
  }

  /** Records read and not yet finished; when there are none, what a read that starts now finds. */
  async pending(): Promise<number> {
    if (this.#pending > 0 || this.#stopping.signal.aborted) return this.#pending;
    const read = new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#wake?.abort();
    await read;
    return this.#pending;
  }

  async close(): Promise<void> {
    this.#stopping.abort();
    this.#wake?.abort();
    await this.#ended;
  }

  async #poll(): Promise<void> {
    const { reader, mapping, log } = this.#options;
    while (!this.#stopping.signal.aborted) {
      const waiting = this.#waiting;
      this.#waiting = [];
      try {
        const records = await reader.read();
        this.#pending = records.length;
        for (const resolve of waiting.splice(0)) resolve();
        if (records.length === 0) await this.#sleep(IDLE_MS);
        else await this.#process(records);
      } catch (error) {
        if (this.#stopping.signal.aborted) break;
        log(`the stream of ${mapping.table.name} waits: ${(error as Error).message}`);
        this.#pending = 1;
        for (const resolve of waiting.splice(0)) resolve();
        reader.restart();
        await this.#sleep(AFTER_ERROR_MS);
      }
    }
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  async #process(records: EventRecord[]): Promise<void> {
    let rest = records;
    while (rest.length > 0 && !this.#stopping.signal.aborted) {
      const batch = rest.slice(0, batchEnd(rest, this.#options.mapping.batchSize));
      await this.#processBatch(batch);
      rest = rest.slice(batch.length);
      this.#pending = rest.length;
    }
  }

  async #processBatch(batch: readonly EventRecord[]): Promise<void> {
    const { mapping } = this.#options;
    let segments: readonly Segment[] = [{ from: 0, to: batch.length, attempts: 0 }];
    for (let head = segments[0]; head !== undefined; head = segments[0]) {
      let decision = expire(segments, batch, { now: Date.now(), recordAgeMaxMs: mapping.recordAgeMaxMs });
      if (decision === null) {
        const { invocation, outcome } = await this.#try(batch, head);
        if (this.#stopping.signal.aborted) return;
        decision = decide(segments, outcome, mapping);
        if (outcome.kind !== 'ok') this.#report(batch, head, invocation);
      }
      if (decision.setAside !== null) await this.#setAside(batch, decision.setAside);
      if (decision.doneTo !== null) this.#options.reader.save(batch[decision.doneTo - 1]?.sequenceNumber ?? '');
      segments = decision.segments;
      const attempts = segments[0]?.attempts ?? 0;
      if (attempts > 0) await this.#sleep(backoffMs(attempts));
      if (this.#stopping.signal.aborted) return;
    }
  }

  async #try(batch: readonly EventRecord[], segment: Segment): Promise<{ invocation: Invocation; outcome: Outcome }> {
    const { mapping, functions } = this.#options;
    const texts = batch.slice(segment.from, segment.to).map((record) => record.text);
    const invocation = await functions.invoke(mapping.function.name, `{"Records":[${texts.join(',')}]}`);
    const { result } = invocation;
    if (!result.ok) return { invocation, outcome: { kind: 'error' } };
    const outcome: Outcome = mapping.reportItemFailures ? outcomeOf(JSON.parse(result.payload), batch, segment) : { kind: 'ok' };
    return { invocation, outcome };
  }

  #report(batch: readonly EventRecord[], segment: Segment, { requestId, result }: Invocation): void {
    const range = `${batch[segment.from]?.sequenceNumber}…${batch[segment.to - 1]?.sequenceNumber}`;
    const why = result.ok ? `reported ${result.payload.slice(0, 200)}` : `${result.error.errorType}: ${result.error.errorMessage}`;
    this.#options.log(`${this.name} failed on stream records ${range} (try ${segment.attempts + 1}, request ${requestId}): ${why}`);
  }

  /** As Lambda: the message says where the records are and not what is in them. */
  async #setAside(batch: readonly EventRecord[], { segment, condition }: NonNullable<Decision['setAside']>): Promise<void> {
    const { mapping, sqs, reader, log } = this.#options;
    const first = batch[segment.from];
    const last = batch[segment.to - 1];
    const message = {
      requestContext: { requestId: '', functionArn: mapping.function.arn, condition, approximateInvokeCount: segment.attempts },
      version: '1.0',
      timestamp: new Date().toISOString(),
      DDBStreamBatchInfo: {
        shardId: reader.shard,
        startSequenceNumber: first?.sequenceNumber,
        endSequenceNumber: last?.sequenceNumber,
        approximateArrivalOfFirstRecord: new Date(first?.createdAtMs ?? 0).toISOString(),
        approximateArrivalOfLastRecord: new Date(last?.createdAtMs ?? 0).toISOString(),
        batchSize: segment.to - segment.from,
        streamArn: mapping.table.streamArn,
      },
    };
    log(`${this.name}: stream records set aside: ${JSON.stringify(message)}`);
    if (mapping.onFailure === null) return;
    await sqs.send(new SendMessageCommand({ QueueUrl: mapping.onFailure.url, MessageBody: JSON.stringify(message) }));
  }

  async #sleep(ms: number): Promise<void> {
    if (this.#waiting.length > 0 || this.#stopping.signal.aborted) return;
    this.#wake = new AbortController();
    await sleep(ms, undefined, { signal: this.#wake.signal }).catch(() => {});
    this.#wake = null;
  }
}
