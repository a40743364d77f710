import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatIssue, isZone, toDate, toInstant } from './local-time.ts';

/** Local times as sources write them; what happens twice and what never happens is as docs/import.md says. */
const LONDON = { format: 'yyyy-MM-dd HH:mm', zone: 'Europe/London' };

test.each([
  ['12/1/09 7:45', { format: 'M/d/yy H:mm', zone: 'Europe/London' }, '2009-12-01T07:45:00Z'],
  ['7/1/10 7:45', { format: 'M/d/yy H:mm', zone: 'Europe/London' }, '2010-07-01T06:45:00Z'],
  ['31.12.2026 23:59:58', { format: 'dd.MM.yyyy HH:mm:ss', zone: 'Europe/Oslo' }, '2026-12-31T22:59:58Z'],
  ['2026-11-23T08:00:00Z', { format: 'yyyy-MM-ddTHH:mm:ssZ', zone: 'UTC' }, '2026-11-23T08:00:00Z'],
  ['2026-11-23 08:00', { format: 'yyyy-MM-dd HH:mm', zone: 'Asia/Kolkata' }, '2026-11-23T02:30:00Z'],
  ['2026-01-01 03:00', { format: 'yyyy-MM-dd HH:mm', zone: 'Asia/Kolkata' }, '2025-12-31T21:30:00Z'],
  ['2026-11-23', { format: 'yyyy-MM-dd', zone: 'Asia/Kolkata' }, '2026-11-22T18:30:00Z'],
])('%s is %s', (text, how, value) => {
  expect(toInstant(text, how)).toEqual({ value });
});

test.each([
  ['before the clock jumps', '2026-03-29 00:59', '2026-03-29T00:59:00Z'],
  ['never shown, so an hour later', '2026-03-29 01:00', '2026-03-29T01:00:00Z'],
  ['never shown, so an hour later', '2026-03-29 01:30', '2026-03-29T01:30:00Z'],
  ['after the jump', '2026-03-29 02:00', '2026-03-29T01:00:00Z'],
  ['before the clock goes back', '2026-10-25 00:59', '2026-10-24T23:59:00Z'],
  ['shown twice, so the earlier', '2026-10-25 01:00', '2026-10-25T00:00:00Z'],
  ['shown twice, so the earlier', '2026-10-25 01:59', '2026-10-25T00:59:00Z'],
  ['after it', '2026-10-25 02:00', '2026-10-25T02:00:00Z'],
])('London, %s: %s', (_, text, value) => {
  expect(toInstant(text, LONDON)).toEqual({ value });
});

test('years of two digits are 1970 to 2069', () => {
  expect(['1/1/69', '1/1/70', '1/1/00', '1/1/99'].map((text) => toDate(text, 'M/d/yy').value)).toEqual([
    '2069-01-01',
    '1970-01-01',
    '2000-01-01',
    '1999-01-01',
  ]);
});

test.each([
  ['2026-02-29', 'yyyy-MM-dd'],
  ['2026-13-01', 'yyyy-MM-dd'],
  ['2026-00-10', 'yyyy-MM-dd'],
  ['2026-04-31', 'yyyy-MM-dd'],
  ['0026-04-30', 'yyyy-MM-dd'],
  ['1/1/26 24:00', 'M/d/yy H:mm'],
  ['1/1/26 7:60', 'M/d/yy H:mm'],
])('%s is no time that exists', (text, format) => {
  expect(toDate(text, format)).toEqual({ reason: `${JSON.stringify(text)} is no time that exists` });
});

test.each(['1/1/2026', '2026-1-1', '2026-01-01 ', 'yesterday', '2026x01x01'])('%j is not of the form', (text) => {
  expect(toDate(text, 'yyyy-MM-dd')).toEqual({ reason: `${JSON.stringify(text)} is not of the form yyyy-MM-dd` });
});

test('a leap day is a day', () => {
  expect(toDate('2028-02-29', 'yyyy-MM-dd')).toEqual({ value: '2028-02-29' });
});

/** What a clock in London shows at an instant, by another way than the code under test goes. */
function clock(ms: number, zone: string): string {
  return new Date(ms).toLocaleString('sv-SE', { timeZone: zone }).slice(0, 16);
}

test('what a clock shows comes back as the instant it shows it at, or the earlier of two', () => {
  const zones = fc.constantFrom('Europe/London', 'Asia/Kolkata', 'America/New_York', 'Australia/Lord_Howe', 'Pacific/Chatham', 'UTC');
  const minutes = fc.integer({ min: Date.UTC(1990, 0) / 60_000, max: Date.UTC(2037, 0) / 60_000 });
  fc.assert(
    fc.property(minutes, zones, (minute, zone) => {
      const shown = clock(minute * 60_000, zone);
      const back = Date.parse(String(toInstant(shown, { format: 'yyyy-MM-dd HH:mm', zone }).value));
      expect(clock(back, zone)).toBe(shown);
      expect(back).toBeLessThanOrEqual(minute * 60_000);
    }),
    { numRuns: 2_000 },
  );
});

test('a format that cannot work is told before a row is read', () => {
  expect(['M/d/yy H:mm', 'yyyy-MM-ddTHH:mm:ssZ', 'dd.MM.yyyy'].map(formatIssue)).toEqual([null, null, null]);
  expect(formatIssue('M/d/yy h:mm a')).toMatch(/^h is no part of a time; there are yyyy/);
  expect(formatIssue('dd/MM')).toMatch(/needs a year/);
  expect(formatIssue('yyyy-MM-dd yy')).toMatch(/twice/);
  expect([isZone('Europe/London'), isZone('Europe/Londn'), isZone('')]).toEqual([true, false, false]);
});
