import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SyncError } from '../../protocol/sync-error.ts';
import { type Caller, callerFor } from './caller.ts';
import type { Tokens } from './provider.ts';
import { type Session, Sessions, sessionsFile } from './sessions.ts';

const NOW = Date.parse('2026-11-29T10:00:00.000Z');
const PROVIDER = { issuer: 'https://people.example', clientId: 'cli', scopes: ['openid'] };
const SESSION: Session = {
  issuer: PROVIDER.issuer,
  clientId: PROVIDER.clientId,
  accessToken: 'at',
  refreshToken: 'rt',
  expiresAt: NOW + 900_000,
  name: 'ann@example.org',
  subject: 'u1',
  signedInAt: new Date(NOW).toISOString(),
};
let dir: string;
let sessions: Sessions;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'storeline-people-'));
  sessions = new Sessions(join(dir, 'settings', 'sessions.db'));
});
afterEach(() => rmSync(dir, { recursive: true }));

type Parts = Parameters<typeof callerFor>[0];
const caller = (more: Partial<Parts> = {}) =>
  callerFor({ asAws: false, token: '', office: 'o1', provider: PROVIDER, sessions, now: () => NOW, ...more });
const tokenOf = (one: Caller) => (one.kind === 'aws' ? Promise.resolve('AWS') : one.token());

describe('in whose name a command asks (INV-58)', () => {
  test.each<[string, boolean, string, boolean, string]>([
    ['nothing is said', false, '', false, 'AWS'],
    ['somebody signed in', false, '', true, 'at'],
    ['a token stands in the environment', false, 'env', false, 'env'],
    ['a token stands in the environment, and somebody signed in', false, 'env', true, 'env'],
    ['AWS is said', true, '', false, 'AWS'],
    ['AWS is said, and somebody signed in', true, '', true, 'AWS'],
    ['AWS is said, and a token stands in the environment', true, 'env', false, 'AWS'],
    ['all three', true, 'env', true, 'AWS'],
  ])('%s', async (_, asAws, token, isSignedIn, wanted) => {
    if (isSignedIn) sessions.write('o1', SESSION);
    expect(await tokenOf(caller({ asAws, token }))).toBe(wanted);
  });

  test('a token of the environment is taken as it was meant, and never said when it is none', async () => {
    expect(await tokenOf(caller({ token: 'env.to-ken_=\n' }))).toBe('env.to-ken_=');
    for (const token of ['SECRET\nTOKEN', 'SECRET TOKEN', 'SECRET\u00e9', ' '])
      expect(() => caller({ token })).toThrow(
        expect.objectContaining({ code: 'INVALID_INPUT', message: expect.not.stringContaining('SECRET') as string }),
      );
  });

  test('what another version of this program wrote is not nobody', () => {
    sessions.write('o1', { ...SESSION, another: 1 } as Session);
    expect(() => caller()).toThrow(/sign-in` again/);
    expect(sessions.remove('o1')).toBe('UNREADABLE');
    expect(caller().kind).toBe('aws');
  });

  test('who signed in to one head office is nobody at another', () => {
    sessions.write('o1', SESSION);
    expect(caller({ office: 'o2' }).kind).toBe('aws');
  });

  test.each<[string, Parts['provider']]>([
    ['has another provider', { ...PROVIDER, issuer: 'https://others.example' }],
    ['has another client', { ...PROVIDER, clientId: 'other' }],
    ['has none', null],
  ])('a head office that now %s gets no token, and no AWS credentials in its place', (_, provider) => {
    sessions.write('o1', SESSION);
    expect(() => caller({ provider })).toThrow(/sign in again/);
  });
});

describe('a token that runs out', () => {
  const old = { ...SESSION, expiresAt: NOW + 59_000 };
  let asked: string[] = [];
  const renew = async (_: unknown, refreshToken: string): Promise<Tokens> => {
    asked.push(refreshToken);
    await new Promise((resolve) => setImmediate(resolve));
    return { accessToken: `at${asked.length + 1}`, refreshToken: `rt${asked.length + 1}`, lifeMs: 900_000 };
  };
  beforeEach(() => {
    asked = [];
    sessions.write('o1', old);
  });

  test('is renewed once for all who ask, and kept', async () => {
    const one = caller({ renew });
    expect(await Promise.all([tokenOf(one), tokenOf(one), tokenOf(one)])).toEqual(['at2', 'at2', 'at2']);
    expect(await tokenOf(caller({ renew }))).toBe('at2');
    expect(asked).toEqual(['rt']);
    expect(sessions.read('o1')).toEqual({ ...old, accessToken: 'at2', refreshToken: 'rt2', expiresAt: NOW + 900_000 });
  });

  test('of a command that has been running while another one renewed it: that one is taken', async () => {
    const slow = caller({ renew });
    sessions.write('o1', { ...SESSION, accessToken: 'theirs' });
    expect([await tokenOf(slow), asked]).toEqual(['theirs', []]);
  });

  test.each<[string, Partial<Parts>, Partial<Session> | null, string]>([
    ['the provider takes it no more', { renew: () => Promise.resolve(null) }, old, 'UNAUTHORIZED'],
    ['somebody else signed in meanwhile', { renew }, { ...old, subject: 'u2' }, 'UNAUTHORIZED'],
    ['somebody else signed in meanwhile, just now', { renew }, { ...SESSION, subject: 'u2' }, 'UNAUTHORIZED'],
    ['of another provider', { renew }, { ...old, issuer: 'https://others.example' }, 'UNAUTHORIZED'],
    ['of another client', { renew }, { ...old, clientId: 'other' }, 'UNAUTHORIZED'],
    ['the provider cannot be asked', { renew: () => Promise.reject(new SyncError('CONNECTIVITY', 'down')) }, old, 'CONNECTIVITY'],
    ['there is no refresh token', { renew }, { ...old, refreshToken: null }, 'UNAUTHORIZED'],
    ['somebody signed out meanwhile', { renew }, null, 'UNAUTHORIZED'],
  ])('%s: an error, and what was there stays', async (_, more, session, code) => {
    const one = caller(more);
    if (session === null) sessions.remove('o1');
    else sessions.write('o1', { ...old, ...session });
    await expect(tokenOf(one)).rejects.toMatchObject({ code });
    expect(asked).toEqual([]);
    expect(sessions.read('o1')).toEqual(session === null ? null : { ...old, ...session });
  });
});

test('sessions are in a file that others cannot read, in the folder of settings', () => {
  expect(sessionsFile({ XDG_CONFIG_HOME: dir })).toBe(join(dir, 'storeline', 'sessions.db'));
  expect(sessionsFile({ XDG_CONFIG_HOME: '' })).toMatch(/\.config[/\\]storeline[/\\]sessions\.db$/);
  // Whatever an older one was like.
  mkdirSync(join(dir, 'settings'), { mode: 0o700 });
  writeFileSync(join(dir, 'settings', 'sessions.db'), '', { mode: 0o644 });
  sessions.write('o1', SESSION);
  expect(statSync(join(dir, 'settings', 'sessions.db')).mode & 0o777).toBe(0o600);
  expect(statSync(join(dir, 'settings')).mode & 0o777).toBe(0o700);
});

test('who may not keep it is told which file, and nobody is signed in where there is none', () => {
  writeFileSync(join(dir, 'settings'), 'no folder');
  expect(sessions.read('o1')).toBeNull();
  expect(() => sessions.write('o1', SESSION)).toThrow(
    expect.objectContaining({ code: 'NOT_READY', message: expect.stringContaining('sessions.db') as string }),
  );
});

test('a file that is none says what to do', () => {
  mkdirSync(join(dir, 'settings'));
  writeFileSync(join(dir, 'settings', 'sessions.db'), 'no database, but longer than the first page of one would have to be'.repeat(100));
  expect(() => sessions.read('o1')).toThrow(/delete it, and sign in again/);
});
