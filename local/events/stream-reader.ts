/**
 * Reads one table's stream from where it was last processed: shard after shard, a child only when its parent is
 * processed to the end. Keeps its place in the state file, and only what was processed counts as read.
 */
import {
  DescribeStreamCommand,
  type DynamoDBStreamsClient,
  GetRecordsCommand,
  GetShardIteratorCommand,
  type Shard,
} from '@aws-sdk/client-dynamodb-streams';
import type { StateFile } from '../state-file.ts';
import { type EventRecord, toEventRecord } from './stream-records.ts';

interface Options {
  readonly client: DynamoDBStreamsClient;
  readonly state: StateFile;
  /** The stream's ARN at the emulator. */
  readonly stream: string;
  /** The ARN functions see. */
  readonly eventSourceARN: string;
  readonly region: string;
}

/** One GetRecords call returns at most this many. */
const READ_RECORDS = 1_000;

export class StreamReader {
  readonly #options: Options;
  #shard: string | null = null;
  #iterator: string | null = null;

  constructor(options: Options) {
    this.#options = options;
  }

  get shard(): string {
    return this.#shard ?? '';
  }

  /** The next records, or none for now. Each call goes on after the one before. */
  async read(): Promise<EventRecord[]> {
    const { client, eventSourceARN, region } = this.#options;
    this.#iterator ??= await this.#openShard();
    if (this.#iterator === null) return [];
    const { Records = [], NextShardIterator } = await client.send(
      new GetRecordsCommand({ ShardIterator: this.#iterator, Limit: READ_RECORDS }),
    );
    if (NextShardIterator === undefined && Records.length === 0) this.#finishShard();
    else this.#iterator = NextShardIterator ?? null;
    return Records.map((record) => toEventRecord(record, { eventSourceARN, region }));
  }

  /** Everything up to and including this record is processed. */
  save(sequenceNumber: string): void {
    const { state, stream } = this.#options;
    state.saveCheckpoint(stream, this.shard, { sequenceNumber, finished: false });
  }

  /** Goes on from what was saved last: after an error, or when an iterator has grown too old. */
  restart(): void {
    this.#iterator = null;
  }

  #finishShard(): void {
    const { state, stream } = this.#options;
    const { sequenceNumber } = state.checkpoint(stream, this.shard);
    state.saveCheckpoint(stream, this.shard, { sequenceNumber, finished: true });
    this.#iterator = null;
  }

  async #openShard(): Promise<string | null> {
    const { client, state, stream } = this.#options;
    const shards = await this.#listShards();
    const known = new Set(shards.map((shard) => shard.ShardId));
    const finished = (shard: string | undefined) => shard === undefined || !known.has(shard) || state.checkpoint(stream, shard).finished;
    const next = shards.find((shard) => !finished(shard.ShardId) && finished(shard.ParentShardId));
    if (next?.ShardId === undefined) return null;
    this.#shard = next.ShardId;
    const { sequenceNumber } = state.checkpoint(stream, next.ShardId);
    const position =
      sequenceNumber === null
        ? ({ ShardIteratorType: 'TRIM_HORIZON' } as const)
        : ({ ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', SequenceNumber: sequenceNumber } as const);
    const { ShardIterator } = await client.send(new GetShardIteratorCommand({ StreamArn: stream, ShardId: next.ShardId, ...position }));
    return ShardIterator ?? null;
  }

  async #listShards(): Promise<Shard[]> {
    const { client, stream } = this.#options;
    const shards: Shard[] = [];
    let start: string | undefined;
    do {
      const { StreamDescription } = await client.send(
        new DescribeStreamCommand({ StreamArn: stream, ...(start === undefined ? {} : { ExclusiveStartShardId: start }) }),
      );
      shards.push(...(StreamDescription?.Shards ?? []));
      start = StreamDescription?.LastEvaluatedShardId;
    } while (start !== undefined);
    return shards;
  }
}
