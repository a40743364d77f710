import { Logger } from '@aws-lambda-powertools/logger';
import { pushRequestSchema } from '../../protocol/messages/push.ts';
import { documentClient, s3Client, sqsClient } from '../aws/clients.ts';
import { DynamoUploadStore } from '../aws/dynamo-upload-store.ts';
import { S3ObjectStore } from '../aws/s3-object-store.ts';
import { SqsDoorbell } from '../aws/sqs-doorbell.ts';
import { agentDoor } from '../http/agent-door.ts';
import { authenticate } from '../http/authenticate.ts';
import { correlationOf } from '../http/correlation.ts';
import { httpFunction } from '../http/http-function.ts';
import { environment, systemClock } from '../runtime.ts';
import { push } from './push.ts';

const env = environment('STORES_TABLE', 'UPLOADS_TABLE', 'UPLOADS_BUCKET', 'DOORBELL_QUEUE_URL');
const logger = new Logger({ serviceName: 'push' });
const documents = documentClient();
const door = agentDoor(documents, env.STORES_TABLE);
const deps = {
  // It writes no record and checks no replica row: that is `apply`.
  uploads: new DynamoUploadStore(documents, { uploads: env.UPLOADS_TABLE, records: '', stores: env.STORES_TABLE }),
  objects: new S3ObjectStore(s3Client(), env.UPLOADS_BUCKET),
  doorbell: new SqsDoorbell(sqsClient(), env.DOORBELL_QUEUE_URL),
  clock: systemClock,
};

export const handler = httpFunction({ logger, clock: systemClock }, pushRequestSchema, async (request) => {
  const { replica } = await authenticate(door, request);
  const correlationId = correlationOf(request.headers);
  const doorbell = { ring: (replicaId: string) => deps.doorbell.ring(replicaId, correlationId) };
  return push({ ...deps, doorbell }, replica.replicaId, request.body);
});
