import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { noteClock, readClockNote } from './clock-note.ts';

let folder: string;
let path: string;
const NOW = Date.parse('2026-11-23T08:00:00.000Z');
const measured = (skewMs: number, after = 0) =>
  noteClock(path, { sentAt: NOW + after + skewMs - 100, heardAt: NOW + after + skewMs + 100, serverTime: NOW + after });

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'clock-'));
  path = join(folder, 'clock.json');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('what is measured is half way between question and answer, and stands until it moves or an hour has gone', () => {
  expect(readClockNote(path)).toBeNull();
  measured(-3_000);
  const first = { skewMs: -3_000, measuredAt: '2026-11-23T08:00:00.000Z' };
  expect(readClockNote(path)).toEqual(first);
  measured(1_000, 60_000);
  expect(readClockNote(path)).toEqual(first);
  measured(2_000, 120_000);
  expect(readClockNote(path)).toEqual({ skewMs: 2_000, measuredAt: '2026-11-23T08:02:00.000Z' });
  measured(2_000, 120_000 + 3_600_000);
  expect(readClockNote(path)?.measuredAt).toBe('2026-11-23T09:02:00.000Z');
});

test('a note that is damaged is measured again', () => {
  writeFileSync(path, '{"skewMs":');
  expect(readClockNote(path)).toBeNull();
  measured(5_000);
  expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ skewMs: 5_000 });
});
