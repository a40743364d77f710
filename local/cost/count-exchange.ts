import type { IncomingHttpHeaders } from 'node:http';
import type { Metric } from '../../protocol/prices.ts';

/** What one request to a service is billed as. Failed requests are not, as far as the services say so. */
export interface Exchange {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly status: number;
  readonly answer: Buffer;
}

export type Count = (metric: Metric, amount: number) => void;

const DYNAMO_WRITES = new Set(['PutItem', 'UpdateItem', 'DeleteItem', 'BatchWriteItem', 'TransactWriteItems']);
const SQS_UNIT_BYTES = 65_536;

/** The units it says it consumed: by item size, consistency and transaction. */
export function countDynamo({ headers, status, answer }: Exchange, count: Count): void {
  if (status >= 400) return;
  const action = String(headers['x-amz-target'] ?? '').split('.')[1] ?? '';
  const { ConsumedCapacity } = JSON.parse(answer.toString('utf8')) as { ConsumedCapacity?: Consumed | Consumed[] };
  const units = [ConsumedCapacity ?? []].flat().reduce((sum, { CapacityUnits }) => sum + (CapacityUnits ?? 0), 0);
  if (units > 0) count(DYNAMO_WRITES.has(action) ? 'dynamodb.writeUnits' : 'dynamodb.readUnits', units);
}

interface Consumed {
  readonly CapacityUnits?: number;
}

/** Deletes are free. What is read by a signed address leaves the region; what a function reads does not. */
export function countS3({ method, path, answer, status }: Exchange, count: Count): void {
  if (method === 'PUT' || method === 'POST') count('s3.puts', 1);
  if (method !== 'GET' && method !== 'HEAD') return;
  count('s3.gets', 1);
  if (status < 300 && path.includes('X-Amz-Signature=')) count('egress.bytes', answer.length);
}

export function countSqs({ body }: Exchange, count: Count): void {
  count('sqs.requests', Math.max(1, Math.ceil(body.length / SQS_UNIT_BYTES)));
}
