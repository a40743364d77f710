/** A stack whose tables were restored beside it: it uses those, and nothing of it still points at the ones it had. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { storelineApp } from '../../infra/storeline-app.ts';
import { organizationSchema } from '../../protocol/organization.ts';

interface Resource {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, unknown>>;
  readonly DeletionPolicy?: string;
}

const folder = mkdtempSync(join(tmpdir(), 'storeline-restored-'));
afterAll(() => rmSync(folder, { recursive: true }));

const plain = { name: 'back', displayName: 'B', region: 'eu-west-2', timeZone: 'UTC', currency: 'GBP' };
const restored = {
  records: 'back-records-2',
  recordsStream: '2026-11-29T08:00:00.000',
  feeds: 'back-feeds-2',
  stores: 'back-stores-2',
  uploads: 'back-uploads-2',
};

function resourcesOf(more: object): Record<string, Resource> {
  const organization = organizationSchema.parse({ ...plain, ...more });
  const assembly = storelineApp([organization], { outdir: mkdtempSync(join(folder, 'out-')), bundle: false }).synth();
  return (assembly.getStackByName('storeline-back').template as { Resources: Record<string, Resource> }).Resources;
}

const tablesOf = (resources: Record<string, Resource>) =>
  Object.entries(resources).filter(([, { Type }]) => Type === 'AWS::DynamoDB::GlobalTable');
/** By type and logical id, without what is about tables. */
const othersOf = (resources: Record<string, Resource>) =>
  Object.entries(resources).flatMap(([id, { Type }]) => (Type === 'AWS::DynamoDB::GlobalTable' ? [] : [`${Type} ${id}`]));

test('its functions, permissions, stream and alarms are of the restored tables; the audit goes on', () => {
  const [before, after] = [resourcesOf({}), resourcesOf({ restored })];
  // What leaves the stack is kept.
  expect(tablesOf(before).map(([id, { DeletionPolicy }]) => [id, DeletionPolicy])).toEqual(
    ['Records', 'Feeds', 'Stores', 'Uploads', 'Audit'].map((id) => [id, 'Retain']),
  );
  expect(tablesOf(after).map(([id]) => id)).toEqual(['Audit']);
  expect(othersOf(after)).toEqual(othersOf(before));
  const text = JSON.stringify(after);
  for (const id of ['Records', 'Feeds', 'Stores', 'Uploads'])
    for (const reference of [`{"Ref":"${id}"}`, `"Fn::GetAtt":["${id}",`]) expect(text).not.toContain(reference);
  const variables = Object.values(after).flatMap(({ Type, Properties }) =>
    Type === 'AWS::Lambda::Function' ? [(Properties['Environment'] as { Variables: object }).Variables] : [],
  );
  const named = variables.flatMap((one) =>
    Object.entries(one).flatMap(([name, value]) => (name.endsWith('_TABLE') ? [[name, value]] : [])),
  );
  expect(Object.fromEntries(named)).toMatchObject({
    RECORDS_TABLE: restored.records,
    FEEDS_TABLE: restored.feeds,
    STORES_TABLE: restored.stores,
    UPLOADS_TABLE: restored.uploads,
  });
  const mapping = Object.values(after).find(({ Properties }) => JSON.stringify(Properties['EventSourceArn'] ?? '').includes('/stream/'));
  expect(JSON.stringify(mapping?.Properties['EventSourceArn'])).toContain(`table/${restored.records}/stream/${restored.recordsStream}`);
});

test('half of them is refused', () => {
  const { feeds: _, ...half } = restored;
  expect(organizationSchema.safeParse({ ...plain, restored: half }).success).toBe(false);
  expect(organizationSchema.safeParse({ ...plain, restored: { ...restored, recordsStream: 'latest' } }).success).toBe(false);
});
