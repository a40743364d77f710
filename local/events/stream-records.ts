/**
 * Stream records as Lambda hands them to a function: binary values as base64, the time as seconds. The size counted is
 * that of the JSON text.
 */
import type { _Record as StreamRecord, AttributeValue } from '@aws-sdk/client-dynamodb-streams';
import type { BatchRecord } from './stream-batch.ts';

export interface EventRecord extends BatchRecord {
  /** JSON text of the record in the event. */
  readonly text: string;
}

type Image = Record<string, AttributeValue>;

export function toEventRecord(record: StreamRecord, { eventSourceARN, region }: { eventSourceARN: string; region: string }): EventRecord {
  const { dynamodb = {} } = record;
  const createdAtMs = dynamodb.ApproximateCreationDateTime?.getTime() ?? 0;
  const images = { Keys: dynamodb.Keys, NewImage: dynamodb.NewImage, OldImage: dynamodb.OldImage };
  const text = JSON.stringify({
    eventID: record.eventID,
    eventName: record.eventName,
    eventVersion: '1.1',
    eventSource: 'aws:dynamodb',
    awsRegion: region,
    eventSourceARN,
    ...(record.userIdentity === undefined
      ? {}
      : { userIdentity: { type: record.userIdentity.Type, principalId: record.userIdentity.PrincipalId } }),
    dynamodb: {
      ApproximateCreationDateTime: Math.floor(createdAtMs / 1_000),
      ...Object.fromEntries(Object.entries(images).flatMap(([name, image]) => (image === undefined ? [] : [[name, toLambdaImage(image)]]))),
      SequenceNumber: dynamodb.SequenceNumber,
      SizeBytes: dynamodb.SizeBytes,
      StreamViewType: dynamodb.StreamViewType,
    },
  });
  return { sequenceNumber: dynamodb.SequenceNumber ?? '', bytes: Buffer.byteLength(text), createdAtMs, text };
}

function toLambdaImage(image: Image): Record<string, unknown> {
  return Object.fromEntries(Object.entries(image).map(([name, value]) => [name, toLambdaValue(value)]));
}

function toLambdaValue(value: AttributeValue): unknown {
  if (value.B !== undefined) return { B: base64(value.B) };
  if (value.BS !== undefined) return { BS: value.BS.map(base64) };
  if (value.M !== undefined) return { M: toLambdaImage(value.M) };
  if (value.L !== undefined) return { L: value.L.map(toLambdaValue) };
  return value;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
