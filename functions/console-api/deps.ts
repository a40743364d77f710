import { randomBytes } from 'node:crypto';
import { documentClient } from '../aws/clients.ts';
import { DynamoAuditLog } from '../aws/dynamo-audit-log.ts';
import { DynamoFeedStore } from '../aws/dynamo-feed-store.ts';
import { DynamoQuarantine } from '../aws/dynamo-quarantine.ts';
import { DynamoRecordStore } from '../aws/dynamo-record-store.ts';
import { DynamoRolloutStore } from '../aws/dynamo-rollout-store.ts';
import { DynamoRunStore } from '../aws/dynamo-run-store.ts';
import { DynamoStoreRegistry } from '../aws/dynamo-store-registry.ts';
import { DynamoUndertakingStore } from '../aws/dynamo-undertaking-store.ts';
import { DynamoUploadStore } from '../aws/dynamo-upload-store.ts';
import { environment, hourMs, organization, systemClock, systemIds } from '../runtime.ts';
import type { ConsoleDeps } from './console-api.ts';

/** What both doors of the console work with: the one of the command line, and the one of people with a token. */
export function consoleDeps(): ConsoleDeps {
  const env = environment('RECORDS_TABLE', 'FEEDS_TABLE', 'STORES_TABLE', 'AUDIT_TABLE', 'UPLOADS_TABLE');
  const documents = documentClient();
  return {
    records: new DynamoRecordStore(documents, env.RECORDS_TABLE),
    feeds: new DynamoFeedStore(documents, env.FEEDS_TABLE),
    registry: new DynamoStoreRegistry(documents, env.STORES_TABLE),
    uploads: new DynamoUploadStore(documents, { uploads: env.UPLOADS_TABLE, records: env.RECORDS_TABLE, stores: env.STORES_TABLE }),
    quarantine: new DynamoQuarantine(documents, env.STORES_TABLE),
    runs: new DynamoRunStore(documents, env.STORES_TABLE),
    audit: new DynamoAuditLog(documents, env.AUDIT_TABLE),
    undertakings: new DynamoUndertakingStore(documents, env.STORES_TABLE),
    rollouts: new DynamoRolloutStore(documents, env.STORES_TABLE),
    ids: systemIds,
    clock: systemClock,
    hourMs: hourMs(),
    randomBytes: () => randomBytes(16),
    organization: organization(),
  };
}
