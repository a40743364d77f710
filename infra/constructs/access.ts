/**
 * Who may do what, in one place: each function exactly the calls its code makes, on the tables, prefixes and queues
 * it makes them on. The local stack refuses what is missing here, so a test that goes there finds it.
 */
import { must } from '../../protocol/assert.ts';
import type { Data } from './data.ts';
import { freshWorkflowArn } from './fresh-workflow.ts';
import type { Functions } from './functions.ts';
import { Grants, type TableCall } from './grants.ts';

/** What stands in the table `stores`, by the beginning of its key. */
const STORE = 'store#*';
const DIRECTORY = 'stores';
const CODE = 'code#*';
const WRONG_CODES = 'wrong-codes';
const SLOT = 'fresh-slot#*';
const LOOKUPS = 'lookups#*';
const QUARANTINE = 'quarantine';
const ERASURE = 'erasure';
const UNDERTAKING = 'undertaking';
const ROLLOUT = 'rollout';

/** Who asks is read at every request; a proof, a new key and when a replica was heard of are written to its rows. */
const DOOR: readonly TableCall[] = ['BatchGetItem', 'UpdateItem'];
/** A store with its replicas and certificates. */
const LISTING: readonly TableCall[] = ['GetItem', 'Query'];
/** An inbox, its exceptions, and the transactions that change them. */
const INBOX: readonly TableCall[] = ['GetItem', 'Query', 'PutItem', 'UpdateItem', 'DeleteItem'];
/** Snapshots and segments are made of pages, which are thrown away after. */
const COMPACTION: readonly TableCall[] = ['GetItem', 'BatchGetItem', 'Query', 'PutItem', 'BatchWriteItem'];
const SNAPSHOTS = ['chunks/*', 'manifests/*'] as const;
const OBJECTS = [...SNAPSHOTS, 'segments/*'] as const;

export function grantAccess(data: Data, functions: Functions): void {
  const grants = new Grants(data, functions);
  grantFeeds(grants);
  grantDoors(grants);
  grantUploads(grants);
  grantRuns(grants, freshWorkflowArn(functions));
  grantUndertakings(grants);
  grantConsole(grants, 'console-api');
  grantConsole(grants, 'console');
}

/** From main data to what stores load. */
function grantFeeds(grants: Grants): void {
  const { records, feeds, compaction, rescope, feedWriterFailures } = grants.data;
  const stream = ['DescribeStream', 'GetRecords', 'GetShardIterator', 'ListStreams'].map((call) => `dynamodb:${call}`);
  grants.allow('feed-writer', stream, must(records.tableStreamArn, 'main data has a stream'));
  // A page and the move of its feed's head are one transaction; what cannot be understood goes to quarantine.
  grants.table('feed-writer', feeds, 'BatchGetItem', 'PutItem', 'UpdateItem');
  grants.stores('feed-writer', [QUARANTINE], 'PutItem');
  // A record that was changed without a new revision gets one; nothing else of main data is touched.
  grants.table('feed-writer', records, 'UpdateItem');
  grants.sends('feed-writer', compaction, rescope, feedWriterFailures);

  // Records are placed where their customer is; what belongs to a customer is found by an index.
  grants.table('rescope', records, 'BatchGetItem', 'PutItem');
  grants.owned('rescope');
  grants.sends('rescope', rescope);
  grants.receives('rescope', rescope);

  // The schedule asks for a snapshot of what changed.
  grants.sends('compact', compaction);
  grants.table('compact', feeds, ...COMPACTION);
  grants.objects('compact', OBJECTS, 'GetObject', 'PutObject');
  grants.receives('compact', compaction);
}

/** What agents call, beside uploads and runs. */
function grantDoors(grants: Grants): void {
  const { records, feeds, uploads, compaction } = grants.data;
  // A code is bound to its key in the transaction that makes the replica, opens its store and revokes those whose place it takes.
  grants.stores('enrol', [CODE], 'GetItem', 'PutItem');
  grants.stores('enrol', [STORE], ...DOOR, ...LISTING, 'PutItem');
  grants.stores('enrol', [WRONG_CODES], 'GetItem', 'UpdateItem');

  // The first plan of a new scope puts the empty feed; every signed URL is as good as this role.
  grants.table('plan', feeds, 'GetItem', 'BatchGetItem', 'Query', 'PutItem');
  grants.stores('plan', [STORE], ...DOOR);
  // A store that loads everything takes a slot, and its report gives it back.
  grants.stores('plan', [SLOT], 'PutItem');
  // Which settings a store has.
  grants.stores('plan', [ROLLOUT], 'GetItem');
  // How far a replica's operations are stored.
  grants.table('plan', uploads, 'GetItem');
  grants.objects('plan', OBJECTS, 'GetObject');
  grants.sends('plan', compaction);

  grants.table('report', feeds, 'GetItem');
  // Certificates, and differences with those that are too old.
  grants.stores('report', [STORE], ...DOOR, 'Query', 'PutItem', 'DeleteItem');
  grants.stores('report', [SLOT], 'DeleteItem');

  // A replica that was restored or copied becomes a new one of the same store.
  grants.stores('fork', [STORE], ...DOOR, ...LISTING, 'PutItem', 'ConditionCheckItem');
  // Which key a replica signs with is kept in its row; every door takes the next one when it is used first.
  grants.stores('rotate-key', [STORE], ...DOOR);
  // One customer of main data; how many were looked up is counted in the stores table.
  grants.stores('lookup', [STORE], ...DOOR);
  grants.stores('lookup', [LOOKUPS], 'UpdateItem');
  grants.table('lookup', records, 'BatchGetItem');
  grants.owned('lookup');
  // The redemption, the entry of the ledger and the balance are one transaction.
  grants.stores('redeem', [STORE], ...DOOR, 'ConditionCheckItem');
  grants.table('redeem', records, 'BatchGetItem', 'PutItem');
}

function grantUploads(grants: Grants): void {
  const { records, uploads, doorbell } = grants.data;
  // Stored first, then rung for.
  grants.stores('push', [STORE], ...DOOR);
  grants.table('push', uploads, ...INBOX);
  // An object is looked for and checked; the address that a store puts it to is as good as this role.
  grants.uploadObjects('push', 'GetObject', 'PutObject');
  grants.sends('push', doorbell);

  // Main data, the watermark, the receipts and the replica's own row are one transaction.
  grants.table('apply', records, 'BatchGetItem', 'PutItem');
  grants.table('apply', uploads, ...INBOX);
  grants.stores('apply', [STORE], ...LISTING, 'BatchGetItem', 'ConditionCheckItem');
  // Once an hour it looks at every store.
  grants.stores('apply', [DIRECTORY], 'Query');
  // What is applied is thrown away.
  grants.uploadObjects('apply', 'GetObject', 'DeleteObject');
  grants.sends('apply', doorbell);
  grants.receives('apply', doorbell);
}

/** Runs, their checks, and what is looked at by the clock. */
function grantRuns(grants: Grants, workflowArn: string): void {
  const { feeds, uploads, doorbell, compaction } = grants.data;
  // Feeds that a store needs and that do not exist yet are made; a compaction gives them their first snapshot.
  grants.table('fresh-run', feeds, 'BatchGetItem', 'PutItem');
  grants.stores('fresh-run', [STORE], ...LISTING, 'BatchGetItem', 'PutItem');
  grants.table('fresh-run', uploads, 'GetItem');
  grants.sends('fresh-run', doorbell, compaction);

  // Runs and commands stand beside their store; a fresh run gets its workflow, and its check reads what the store has proved.
  grants.stores('contact', [STORE], ...DOOR, ...LISTING, 'PutItem', 'DeleteItem');
  grants.table('contact', feeds, 'BatchGetItem');
  grants.table('contact', uploads, 'GetItem');
  grants.allow('contact', ['states:StartExecution'], workflowArn);

  grants.stores('watch-stores', [DIRECTORY], 'Query');
  grants.stores('watch-stores', [STORE], ...LISTING);

  // What canary stores reported is read; the rollout is all that is written.
  grants.stores('watch-rollout', [STORE], ...LISTING);
  grants.stores('watch-rollout', [ROLLOUT], 'GetItem', 'PutItem');
}

/** What is begun by people and done in steps, each of which looks whether it is under way. */
function grantUndertakings(grants: Grants): void {
  const { records, feeds, uploads } = grants.data;
  // Records come again by the stream with a raised revision; a feed gets tombstones of what main data has no more.
  grants.stores('rebuild', [UNDERTAKING], 'GetItem');
  grants.table('rebuild', records, 'BatchGetItem', 'Query', 'UpdateItem');
  grants.table('rebuild', feeds, 'BatchGetItem', 'PutItem', 'UpdateItem');
  grants.objects('rebuild', SNAPSHOTS, 'GetObject');

  // Takes a person out of main data, uploads, feeds, bucket and quarantine, and what nobody needs out of the bucket.
  grants.stores('erase', [UNDERTAKING], 'GetItem');
  grants.stores('erase', [ERASURE], ...LISTING, 'PutItem');
  grants.table('erase', records, 'BatchGetItem', 'Query', 'PutItem', 'DeleteItem');
  grants.table('erase', uploads, ...INBOX);
  grants.table('erase', feeds, ...COMPACTION, 'UpdateItem');
  grants.objects('erase', OBJECTS, 'GetObject', 'PutObject', 'DeleteObject');
  grants.stores('erase', [QUARANTINE], 'Query', 'DeleteItem');
  // Which stores have done it.
  grants.stores('erase', [DIRECTORY], 'Query');
  grants.stores('erase', [STORE], ...LISTING);
}

function grantConsole(grants: Grants, name: 'console' | 'console-api'): void {
  const { records, feeds, uploads, audit } = grants.data;
  grants.table(name, records, 'BatchGetItem', 'Query', 'PutItem');
  grants.table(name, feeds, 'BatchGetItem', 'Query');
  // Exceptions are mended and discarded by people.
  grants.table(name, uploads, ...INBOX);
  // A store's zone and edition are changed where they stand, and runs and commands stand beside it.
  grants.stores(name, [STORE], ...DOOR, ...LISTING, 'PutItem');
  grants.stores(name, [DIRECTORY], 'Query', 'PutItem');
  grants.stores(name, [CODE], 'PutItem');
  grants.stores(name, [UNDERTAKING], ...LISTING, 'PutItem');
  grants.stores(name, [QUARANTINE], 'Query');
  grants.stores(name, [ROLLOUT], 'GetItem', 'PutItem');
  // Added to by these two only. That a put takes the place of no entry is the condition it is written with, which no role can ask for.
  grants.table(name, audit, 'PutItem', 'Query');
}
