import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { FeedName } from '../../protocol/feed.ts';
import { openLive } from '../replica/replica-file.ts';
import { Replica } from '../replica/replica.ts';
import { freshOutstanding } from './fresh-standing.ts';

const FEED: FeedName = 'Customer@org';
const AT = { generation: 'g', position: 5 };
const PROOF = { storeId: 'S1', replicaId: 'S1:1', component: 'Customer', rows: 0, digest: '', issuedAt: '' } as const;
let folder: string;
let replica: Replica;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'standing-'));
  replica = new Replica(openLive(join(folder, 'replica.sqlite')));
  replica.setMeta('plan', JSON.stringify({ components: [{ component: 'Customer', status: 'ENABLED', feeds: [FEED] }] }));
  const insert = "INSERT INTO _feed (feed, component, scope, head, head_generation) VALUES (?, 'Customer', 'org', 5, 'g')";
  replica.prepare(insert).run(FEED);
});
afterEach(() => {
  replica.close();
  rmSync(folder, { recursive: true });
});

const load = () => replica.setCursor(FEED, AT, { rows: 0, asOf: null });
const prove = () => replica.putCertificates([{ feed: FEED, ...AT, ...PROOF }]);
const outstanding = () => freshOutstanding(replica)?.map(({ reason }) => reason);

it('INV-46: a feed that was never loaded is outstanding, also when it was to be proved again', () => {
  expect(outstanding()).toEqual(['NEVER_SYNCED']);
  replica.dropCertificate(FEED);
  expect(outstanding()).toEqual(['NEVER_SYNCED']);
});

it('INV-46: a feed that was loaded and never proved is outstanding, also when it was to be proved again', () => {
  load();
  expect(outstanding()).toEqual(['NOT_CERTIFIED']);
  replica.dropCertificate(FEED);
  expect(outstanding()).toEqual(['NOT_CERTIFIED']);
});

it('a feed that was right once is mended by a delta', () => {
  load();
  prove();
  expect(outstanding()).toEqual([]);
  replica.dropCertificate(FEED);
  expect(outstanding()).toEqual([]);
});
