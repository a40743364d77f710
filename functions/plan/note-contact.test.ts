import { expect, test } from 'vitest';
import { limits } from '../../protocol/limits.ts';
import { noteContact } from './note-contact.ts';

const now = Date.parse('2026-11-23T12:00:00.000Z');
const replica = {
  replicaId: 'S1:r',
  storeId: 'S1',
  publicKey: { kty: 'EC', crv: 'P-256', x: '', y: '' },
  status: 'ACTIVE',
  enrolledAt: '2026-01-01T00:00:00.000Z',
} as const;
const iso = (ms: number) => new Date(ms).toISOString();

test.each<[string, object, boolean, number?]>([
  ['never heard of', {}, true],
  ['heard of just now', { heardAt: iso(now - limits.contactNoteMs + 1), agentVersion: '1' }, false],
  ['heard of long ago', { heardAt: iso(now - limits.contactNoteMs), agentVersion: '1' }, true],
  ['another agent', { heardAt: iso(now), agentVersion: '0' }, true],
  ['a clock that is as it was', { heardAt: iso(now), agentVersion: '1', skewMs: 900_000 - limits.clockMovedMs + 1 }, false, 900_000],
  ['a clock that moved', { heardAt: iso(now), agentVersion: '1', skewMs: 900_000 - limits.clockMovedMs }, true, 900_000],
  ['a clock that is off and was never measured', { heardAt: iso(now), agentVersion: '1' }, true, -900_000],
])('%s', async (_, known, noted, skewMs = 50) => {
  const notes: unknown[] = [];
  const registry = { noteContact: (...note: unknown[]) => Promise.resolve(void notes.push(note)) };
  await noteContact({ registry, clock: { now: () => now } }, { ...replica, ...known }, { agentVersion: '1', skewMs });
  expect(notes).toEqual(noted ? [['S1:r', { heardAt: iso(now), agentVersion: '1', skewMs }]] : []);
});
