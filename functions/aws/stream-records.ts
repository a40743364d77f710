import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import type { DynamoDBRecord } from 'aws-lambda';
import type { StreamRecord } from '../../core/feed/route-change.ts';

/**
 * Stream records as plain values. An image that cannot be read (a number too large, a set) becomes its raw form,
 * which the router calls poison; nothing here throws on content.
 */
export function toStreamRecord(record: DynamoDBRecord): StreamRecord {
  const change = record.dynamodb ?? {};
  return {
    sequenceNumber: change.SequenceNumber ?? '',
    at: Math.round((change.ApproximateCreationDateTime ?? 0) * 1_000),
    before: image(change.OldImage),
    after: image(change.NewImage),
  };
}

function image(raw: NonNullable<DynamoDBRecord['dynamodb']>['NewImage']): unknown {
  if (raw === undefined) return null;
  try {
    return unmarshall(raw as Record<string, AttributeValue>);
  } catch {
    return { unreadable: raw };
  }
}
