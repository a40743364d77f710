import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SyncError } from '../../protocol/sync-error.ts';
import { HttpCloudApi, enrol } from './cloud-api.ts';
import { correlated, correlationLine } from './correlation.ts';
import { createTransferCount } from './transfer-count.ts';

/** A head office that is busy, and remembers under which ids it was asked. */
const seen: (string | undefined)[] = [];
const server = createServer((request, response) => {
  seen.push(String(request.headers['x-correlation-id']));
  response.writeHead(503, { 'content-type': 'application/json' }).end('{}');
});
let api: string;
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  api = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());

const RUN_ID = '01890000-0000-7000-8000-00000000000a';
let made = 0;
const shared = () => ({
  api,
  clock: { now: () => 0 },
  ids: { next: () => `01890000-0000-7000-8000-00000000000${(made += 1)}` },
  count: createTransferCount(),
  signal: new AbortController().signal,
});
const cloud = () =>
  new HttpCloudApi({
    ...shared(),
    agentVersion: '1',
    sign: () => Promise.resolve('Storeline x'),
    retry: { execute: async (run) => run(0).catch(() => run(1)) },
  });

async function idOf(failing: Promise<unknown>): Promise<unknown> {
  const error = await failing.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(SyncError);
  const { details } = error as SyncError;
  expect(correlationLine(error as SyncError)).toContain(String(details?.['correlationId']));
  return details?.['correlationId'];
}

test('head office hears one id for all tries of a request, and it is the one in the error', async () => {
  seen.length = 0;
  const id = await idOf(cloud().plan({ feeds: [] }));
  expect(seen).toEqual([id, id]);
  const another = await idOf(cloud().plan({ feeds: [] }));
  expect(another).not.toBe(id);
});

test('all that is asked in a sync has the id of the run, also in what runs beside it and after it waited', async () => {
  seen.length = 0;
  const asked = await correlated(RUN_ID, async () => {
    const first = idOf(cloud().plan({ feeds: [] }));
    await new Promise((resolve) => setTimeout(resolve, 1));
    return Promise.all([first, idOf(cloud().report({ feeds: [] }))]);
  });
  expect(asked).toEqual([RUN_ID, RUN_ID]);
  expect(new Set(seen)).toEqual(new Set([RUN_ID]));
});

test('who enrols has one as well', async () => {
  seen.length = 0;
  const publicKey = { kty: 'EC', crv: 'P-256', x: '', y: '' } as const;
  const id = await idOf(enrol(shared(), { protocol: 2, code: 'x', publicKey, agentVersion: '1' }));
  expect(seen).toEqual([id]);
});
