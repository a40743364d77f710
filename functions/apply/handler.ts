import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import middy from '@middy/core';
import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import * as z from 'zod';
import { withheldFields } from '../../core/withheld-fields.ts';
import { APPLY_JOBS, type ApplyJob } from '../../protocol/apply-jobs.ts';
import { correlationSchema } from '../../protocol/correlation.ts';
import { documentClient, s3Client, sqsClient } from '../aws/clients.ts';
import { DynamoRecordStore } from '../aws/dynamo-record-store.ts';
import { DynamoStoreRegistry } from '../aws/dynamo-store-registry.ts';
import { DynamoUploadStore } from '../aws/dynamo-upload-store.ts';
import { S3ObjectStore } from '../aws/s3-object-store.ts';
import { SqsDoorbell } from '../aws/sqs-doorbell.ts';
import { createCounts } from '../counts.ts';
import { environment, organization, systemClock } from '../runtime.ts';
import { answerRing } from './apply.ts';
import { Inbox } from './inbox.ts';
import { sweepHeld } from './release-held.ts';
import { ringWaiting } from './ring-waiting.ts';
import { sweepUploads } from './sweep-uploads.ts';

const env = environment('RECORDS_TABLE', 'STORES_TABLE', 'UPLOADS_TABLE', 'UPLOADS_BUCKET', 'DOORBELL_QUEUE_URL');
const settings = organization();
const logger = new Logger({ serviceName: 'apply' });
const count = createCounts(settings.name);
const documents = documentClient();
const doorbell = new SqsDoorbell(sqsClient(), env.DOORBELL_QUEUE_URL);
const uploads = new DynamoUploadStore(documents, { uploads: env.UPLOADS_TABLE, records: env.RECORDS_TABLE, stores: env.STORES_TABLE });
const objects = new S3ObjectStore(s3Client(), env.UPLOADS_BUCKET);
const deps = {
  uploads,
  objects,
  inbox: new Inbox({ uploads, objects, clock: systemClock }),
  records: new DynamoRecordStore(documents, env.RECORDS_TABLE),
  registry: new DynamoStoreRegistry(documents, env.STORES_TABLE),
  clock: systemClock,
  settings: { scopes: settings.scopes, withheld: new Set(withheldFields(settings.shareSensitiveFields)) },
  sleep: async (ms: number) => {
    await sleep(ms);
  },
  random: Math.random,
};
const messageSchema = z.object({ replicaId: z.string().min(1).max(300), correlationId: correlationSchema.optional() });

/** Left of the function's time when it stops taking more. */
const RESERVE_MS = 10_000;

/** Each is a call of its own: one that is slow or fails takes no other with it. */
const jobs: Readonly<Record<ApplyJob, () => Promise<number>>> = {
  /** What nobody rang for. */
  ring: () => ringWaiting({ ...deps, doorbell }),
  /** What nobody needs. */
  sweep: () => sweepUploads(deps),
  /** What waits for a record. */
  release: () => sweepHeld(deps),
};
const jobSchema = z.object({ job: z.enum(APPLY_JOBS) });

/** Two callers: the doorbell (a replica a message), and the schedule, with a job. */
export const handler = middy<SQSEvent | object, SQSBatchResponse | { done: number }>()
  .use(injectLambdaContext(logger, { resetKeys: true }))
  .handler(async (event, context) => {
    if ('Records' in event) return fromDoorbell(event, context);
    const { job } = jobSchema.parse(event);
    const done = await jobs[job]();
    logger.info('done by the clock', { job, done });
    return { done };
  });

async function fromDoorbell(event: SQSEvent, context: Context): Promise<SQSBatchResponse> {
  const stop = systemClock.now() + context.getRemainingTimeInMillis() - RESERVE_MS;
  const batchItemFailures: SQSBatchResponse['batchItemFailures'] = [];
  for (const record of event.Records) {
    logger.resetKeys();
    try {
      const { replicaId, correlationId } = messageSchema.parse(JSON.parse(record.body));
      if (correlationId !== undefined) logger.appendKeys({ correlationId });
      const again = { ring: (replica: string) => doorbell.ring(replica, correlationId) };
      const { applied, more, lost } = await answerRing({ ...deps, doorbell: again, until: () => stop }, replicaId);
      count('operations-applied', applied);
      count('uploads-lost', lost === undefined ? 0 : 1);
      if (lost !== undefined) logger.error('an object of operations is lost; the replica is asked for it again', { replicaId, key: lost });
      if (applied > 0) logger.info('applied', { replicaId, applied, more });
    } catch (error) {
      logger.error('not applied; the queue delivers again', error as Error);
      batchItemFailures.push({ itemIdentifier: record.messageId });
    }
  }
  return { batchItemFailures };
}
