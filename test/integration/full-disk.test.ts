import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';

/** A disk that is really full: a file system of 1 MB in memory, seen by this process alone. */
const dir = mkdtempSync(join(tmpdir(), 'storeline-full-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const OUTBOX = `
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { OutboxFile } from './agent/outbox/outbox-file.ts';
const folder = process.argv[1];
const operation = { collection: 'bill', key: 'T/1', kind: 'put', fields: { text: 'x'.repeat(1_000) }, base: 0 };
let ids = 0;
const record = (outbox) =>
  outbox.record(operation, { now: 1, opId: '00000000-0000-7000-8000-' + String((ids += 1)).padStart(12, '0') }, () => operation).seq;
writeFileSync(folder + '/filler', Buffer.alloc(200_000));
let outbox = OutboxFile.open(folder + '/outbox.sqlite', 'S1:r');
let last = 0;
let code = null;
try {
  for (;;) last = record(outbox);
} catch (error) {
  code = error.code;
}
// It is told each time, and what was recorded is readable.
let again = null;
try { record(outbox); } catch (error) { again = error.code; }
const full = outbox.mark().seq;
outbox.close();
rmSync(folder + '/filler');
outbox = OutboxFile.open(folder + '/outbox.sqlite', 'S1:r');
const reopened = outbox.mark().seq;
const after = record(outbox);
const entries = outbox.list({ limit: 10_000 }).length;
console.log(JSON.stringify({ code, again, last, full, reopened, after, entries }));
`;

function namespaces(): boolean {
  try {
    execFileSync('unshare', ['--user', '--map-root-user', '--mount', 'mount', '-t', 'tmpfs', '-o', 'size=1m', 'none', dir], {
      stdio: 'ignore',
    });
    return true;
  } catch {
    return false;
  }
}

const LOCK = `
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dataPaths } from './agent/data-folder.ts';
import { lockFolder } from './agent/folder-lock.ts';
import { writeIdentity } from './agent/identity.ts';
import { rotateKey } from './agent/sync/rotate-key.ts';
const paths = dataPaths(process.argv[1]);
writeIdentity(paths.identity, { storeId: 'S1', replicaId: 'S1:r', organization: 'o', api: 'https://127.0.0.1:9', privateKey: { kty: 'EC', crv: 'P-256', x: 'x', y: 'y', d: 'd' } });
lockFolder(paths).release();
try { for (let n = 0; ; n += 1) writeFileSync(paths.folder + '/filler' + n, Buffer.alloc(1_000)); } catch {}
let said = '';
const lock = lockFolder(paths);
let other = null;
try { lockFolder(paths); } catch (error) { other = error.code; }
await rotateKey({ signal: new AbortController().signal, stderr: { write: (text) => (said += text) } }, paths.folder);
lock.release();
console.log(JSON.stringify({ said, other, nextKey: existsSync(paths.nextKey) }));
`;

/** What a program prints that has a full disk for its data. */
function onSmallDisk(program: string): Record<string, unknown> {
  const script = `mount -t tmpfs -o size=1m none "$1" && exec "$2" --input-type=module --eval "$3" "$1"`;
  const args = ['--user', '--map-root-user', '--mount', 'sh', '-c', script, 'sh', dir, process.execPath, program];
  return JSON.parse(execFileSync('unshare', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })) as Record<string, unknown>;
}

// Not every machine lets a process have a file system of its own.
test.skipIf(!namespaces())('INV-10: a full disk is a clear error, nothing is half-written, and it goes on when there is space', () => {
  const out = onSmallDisk(OUTBOX);
  expect(out).toMatchObject({ code: 'STORAGE_FULL', again: 'STORAGE_FULL' });
  expect(out['last']).toBeGreaterThan(10);
  expect(out).toMatchObject({ full: out['last'], reopened: out['last'], after: Number(out['last']) + 1, entries: Number(out['last']) + 1 });
});

test.skipIf(!namespaces())('with a full disk an agent comes up all the same, alone, and a key that cannot be kept holds up no sync', () => {
  expect(onSmallDisk(LOCK)).toEqual({
    said: expect.stringContaining('STORAGE_FULL: this replica has not got its next key yet'),
    other: 'REPLICA_BUSY',
    nextKey: false,
  });
});
