import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import middy from '@middy/core';
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import * as z from 'zod';
import { documentClient, sqsClient } from '../aws/clients.ts';
import { DynamoRecordStore } from '../aws/dynamo-record-store.ts';
import { SqsRescopeRequests } from '../aws/sqs-rescope-requests.ts';
import { environment, systemClock } from '../runtime.ts';
import { rescope, reviewDue } from './rescope.ts';

const env = environment('RECORDS_TABLE', 'RESCOPE_QUEUE_URL');
const logger = new Logger({ serviceName: 'rescope' });
const deps = {
  records: new DynamoRecordStore(documentClient(), env.RECORDS_TABLE),
  requests: new SqsRescopeRequests(sqsClient(), env.RESCOPE_QUEUE_URL),
  clock: systemClock,
};
const messageSchema = z.object({ work: z.array(z.object({ kind: z.enum(['record', 'children', 'again']), id: z.string() })) });

/** Two callers: the queue, and once a day the schedule. The log holds no keys: they can say who somebody is. */
export const handler = middy<SQSEvent | object, SQSBatchResponse | { due: number }>()
  .use(injectLambdaContext(logger))
  .handler(async (event) => {
    if ('Records' in event) return fromQueue(event);
    const due = await reviewDue(deps);
    logger.info('reviewed', { due });
    return { due };
  });

async function fromQueue(event: SQSEvent): Promise<SQSBatchResponse> {
  const batchItemFailures: SQSBatchResponse['batchItemFailures'] = [];
  for (const record of event.Records) {
    try {
      await rescope(deps, messageSchema.parse(JSON.parse(record.body)).work);
    } catch (error) {
      logger.error('not placed; the queue delivers again', error as Error);
      batchItemFailures.push({ itemIdentifier: record.messageId });
    }
  }
  return { batchItemFailures };
}
