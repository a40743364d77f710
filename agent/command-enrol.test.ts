import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FakeHeadOffice } from '../test/fixtures/fake-head-office.ts';
import type { AgentIo } from './agent-io.ts';
import { enrolCommand } from './command-enrol.ts';
import { dataPaths } from './data-folder.ts';
import { exitCodes } from './exit-code.ts';
import { requireIdentity } from './identity.ts';

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
const run = (code: string) => enrolCommand(io, { api: fake.api, code, data: folder, json: true });

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
