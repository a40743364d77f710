import { Logger } from '@aws-lambda-powertools/logger';
import { withheldFields } from '../../core/withheld-fields.ts';
import { planRequestSchema } from '../../protocol/messages/plan.ts';
import { DynamoFreshSlots } from '../aws/dynamo-fresh-slots.ts';
import { documentClient, s3Client, sqsClient } from '../aws/clients.ts';
import { DynamoFeedStore } from '../aws/dynamo-feed-store.ts';
import { DynamoRolloutStore } from '../aws/dynamo-rollout-store.ts';
import { DynamoUploadStore } from '../aws/dynamo-upload-store.ts';
import { S3ObjectStore } from '../aws/s3-object-store.ts';
import { SqsCompactionRequests } from '../aws/sqs-compaction-requests.ts';
import { agentDoor } from '../http/agent-door.ts';
import { authenticate } from '../http/authenticate.ts';
import { httpFunction } from '../http/http-function.ts';
import { createDoorbell } from '../doorbell.ts';
import { createCounts } from '../counts.ts';
import { environment, hourMs, organization, systemClock, systemIds } from '../runtime.ts';
import { limits } from '../../protocol/limits.ts';
import { storeSettingsOf } from '../../protocol/store-settings.ts';
import { keyNotice } from '../rotate-key/rotate-key.ts';
import { noteContact } from './note-contact.ts';
import { admit } from './admit.ts';
import { plan } from './plan.ts';
import { createToldSettings, noteTold } from './told-settings.ts';
import { uploadProgress } from './upload-progress.ts';

const env = environment('FEEDS_TABLE', 'STORES_TABLE', 'UPLOADS_TABLE', 'SNAPSHOTS_BUCKET', 'COMPACTION_QUEUE_URL');
const settings = organization();
const logger = new Logger({ serviceName: 'plan' });
const count = createCounts(settings.name);
const documents = documentClient();
const door = agentDoor(documents, env.STORES_TABLE);
const deps = {
  feeds: new DynamoFeedStore(documents, env.FEEDS_TABLE),
  objects: new S3ObjectStore(s3Client(), env.SNAPSHOTS_BUCKET),
  compactions: createDoorbell(new SqsCompactionRequests(sqsClient(), env.COMPACTION_QUEUE_URL), (error) =>
    logger.warn('a snapshot was not asked for', error as Error),
  ),
  slots: new DynamoFreshSlots(documents, env.STORES_TABLE, limits.freshSlots),
  // Read only.
  uploads: new DynamoUploadStore(documents, { uploads: env.UPLOADS_TABLE, records: '', stores: env.STORES_TABLE }),
  clock: systemClock,
  ids: systemIds,
  withheld: withheldFields(settings.shareSensitiveFields),
  scopes: settings.scopes,
};
const toldSettings = createToldSettings({
  rollouts: new DynamoRolloutStore(documents, env.STORES_TABLE),
  clock: systemClock,
  deployed: { settings: storeSettingsOf(settings), canary: settings.canary },
  knownFor: limits.rolloutKnownHours * hourMs(),
});

export const handler = httpFunction({ logger, clock: systemClock }, planRequestSchema, async (request) => {
  const { store, replica, skewMs } = await authenticate(door, request);
  const { body } = request;
  const [answer, uploads, told] = await Promise.all([
    plan(deps, store, body),
    uploadProgress(deps, replica.replicaId, body),
    toldSettings(store.storeId),
  ]);
  await Promise.all([noteContact(door, replica, { agentVersion: body.agentVersion, skewMs }), noteTold(door, replica, told)]);
  const admitted = await admit(
    deps,
    { storeId: store.storeId, replicaId: replica.replicaId, request: body },
    { ...answer, ...told.settings, ...uploads, ...keyNotice(deps, replica) },
  );
  count('loads-deferred', admitted.feeds.some((feed) => feed.action === 'wait' && feed.reason === 'NO_SLOT') ? 1 : 0);
  return admitted;
});
