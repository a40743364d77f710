import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { PROTOCOL_VERSION, PROTOCOL_VERSION_MIN } from '../protocol/version.ts';
import { FakeHeadOffice } from '../test/fixtures/fake-head-office.ts';
import type { AgentIo } from './agent-io.ts';
import { enrolCommand } from './command-enrol.ts';
import { dataPaths } from './data-folder.ts';
import { exitCodes } from './exit-code.ts';
import { requireIdentity } from './identity.ts';
import { OutboxFile } from './outbox/outbox-file.ts';

let fake: FakeHeadOffice;
let folder: string;
let out: string;
const io: AgentIo = {
  clock: { now: () => 0 },
  ids: { next: () => '' },
  signal: new AbortController().signal,
  stdout: { write: (text) => (out += text) },
  stderr: { write: () => true },
  sleep: () => Promise.resolve(),
};
const run = (code: string, more: { again?: boolean } = {}) => enrolCommand(io, { api: fake.api, code, data: folder, json: true, ...more });
const saleOf = (seq: number) => ({ collection: 'bill', key: `T/${seq}`, kind: 'put' as const, fields: {}, base: 0 });

beforeEach(async () => {
  fake = await FakeHeadOffice.start();
  folder = mkdtempSync(join(tmpdir(), 'enrol-'));
  out = '';
});
afterEach(async () => {
  await fake.stop();
  rmSync(folder, { recursive: true, force: true });
});

test('an answer that is lost after head office did its work: the same command again is the same replica', async () => {
  const code = fake.addStore({ storeId: 'S1' });
  fake.hooks.lostAnswer = (path) => path === '/v1/enrol';
  await expect(run(code)).rejects.toMatchObject({ code: 'CONNECTIVITY' });
  const { enrolment, identity } = dataPaths(folder);
  expect(statSync(enrolment).mode & 0o777).toBe(0o600);
  expect(existsSync(identity)).toBe(false);
  const saved = JSON.parse(readFileSync(enrolment, 'utf8')) as { privateKey: object };
  delete fake.hooks.lostAnswer;

  expect(await run(code)).toBe(exitCodes.fine);
  expect(requireIdentity(identity).privateKey).toEqual(saved.privateKey);
  expect(fake.replicaIds()).toEqual([requireIdentity(identity).replicaId]);
  expect(existsSync(enrolment)).toBe(false);
  expect(JSON.parse(out)).toMatchObject({ storeId: 'S1' });
});

test('a code that another key used is refused, and the key stays for the next code', async () => {
  const code = fake.addStore({ storeId: 'S1' });
  const other = mkdtempSync(join(tmpdir(), 'enrol-'));
  await enrolCommand(io, { api: fake.api, code, data: other });
  rmSync(other, { recursive: true });
  await expect(run(code)).rejects.toMatchObject({ code: 'CODE_INVALID' });
  expect(await run(fake.addStore({ storeId: 'S2' }))).toBe(exitCodes.fine);
});

test('a key file that cannot be read is replaced: no replica has been made with it that anybody could use', async () => {
  writeFileSync(dataPaths(folder).enrolment, '{"privateKey":');
  expect(await run(fake.addStore({ storeId: 'S1' }))).toBe(exitCodes.fine);
});

describe('a folder that is enrolled', () => {
  const record = () => {
    const paths = dataPaths(folder);
    const outbox = OutboxFile.open(paths.outbox, requireIdentity(paths.identity).replicaId);
    outbox.record({ collection: 'bill', key: 'T/1' }, { now: 1, opId: '00000000-0000-7000-8000-000000000001' }, () => saleOf(1));
    outbox.close();
  };
  const storeOf = () => requireIdentity(dataPaths(folder).identity).storeId;
  beforeEach(async () => {
    await run(fake.addStore({ storeId: 'S1' }));
    out = '';
  });

  test('is not enrolled again by mistake', async () => {
    await expect(run(fake.addStore({ storeId: 'S1' }))).rejects.toMatchObject({
      code: 'ALREADY_EXISTS',
      message: expect.stringContaining('--again') as string,
    });
    expect(fake.replicaIds()).toHaveLength(1);
  });

  test('gets another key when that is wanted, and keeps what it recorded and no key of before', async () => {
    record();
    const { identity, nextKey } = dataPaths(folder);
    const before = requireIdentity(identity);
    writeFileSync(nextKey, '{}');
    expect(await run(fake.addStore({ storeId: 'S1' }), { again: true })).toBe(exitCodes.fine);
    expect(requireIdentity(identity)).not.toMatchObject({ replicaId: before.replicaId });
    expect([storeOf(), existsSync(nextKey)]).toEqual(['S1', false]);
    const outbox = OutboxFile.open(dataPaths(folder).outbox, requireIdentity(identity).replicaId);
    expect(outbox.countOpen()).toEqual({ unsent: 1, withoutReceipt: 1 });
    outbox.close();
  });

  test('stays of its store: with the code of another one nothing changes', async () => {
    const { identity, enrolment } = dataPaths(folder);
    const before = readFileSync(identity, 'utf8');
    await expect(run(fake.addStore({ storeId: 'S2' }), { again: true })).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
    expect(readFileSync(identity, 'utf8')).toBe(before);
    record();
    // Also when somebody took the identity away, as long as there is something to send.
    rmSync(identity);
    await expect(run(fake.addStore({ storeId: 'S2' }))).rejects.toMatchObject({ message: expect.stringContaining('1 records') as string });
    expect([existsSync(identity), existsSync(enrolment)]).toEqual([false, false]);
    expect(await run(fake.addStore({ storeId: 'S1' }))).toBe(exitCodes.fine);
    expect(storeOf()).toBe('S1');
  });

  test('without its identity and with nothing to send it is as good as new', async () => {
    const { identity, outbox } = dataPaths(folder);
    OutboxFile.open(outbox, requireIdentity(identity).replicaId).close();
    rmSync(identity);
    expect(await run(fake.addStore({ storeId: 'S2' }))).toBe(exitCodes.fine);
    expect(storeOf()).toBe('S2');
  });
});

test('without a code nothing is asked and nothing made', async () => {
  rmSync(folder, { recursive: true });
  await expect(run('')).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  expect([existsSync(folder), fake.calls.has('/v1/enrol')]).toEqual([false, false]);
});

test('a head office of an older version is asked in its own', async () => {
  fake.served = { min: PROTOCOL_VERSION_MIN, max: PROTOCOL_VERSION_MIN };
  expect(await run(fake.addStore({ storeId: 'S1' }))).toBe(exitCodes.fine);
  fake.served = { min: PROTOCOL_VERSION + 1, max: PROTOCOL_VERSION + 1 };
  rmSync(dataPaths(folder).identity);
  await expect(run(fake.addStore({ storeId: 'S1' }))).rejects.toMatchObject({ code: 'PROTOCOL_UNSUPPORTED' });
});
