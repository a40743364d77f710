import type { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { keepToOwner, ownerOnlyArguments } from './windows-access.ts';

test('the folder is for its user, the system and administrators, and nothing comes from the folder above', () => {
  expect(ownerOnlyArguments('C:\\Store Line', '"till-3\\agent","S-1-5-21-1-2-3-1001"\r\n')).toEqual([
    'C:\\Store Line',
    '/inheritance:r',
    '/grant:r',
    '*S-1-5-21-1-2-3-1001:(OI)(CI)F',
    '*S-1-5-18:(OI)(CI)F',
    '*S-1-5-32-544:(OI)(CI)F',
  ]);
});

test('a service of the system is named once', () => {
  expect(ownerOnlyArguments('C:\\s', '"nt authority\\system","S-1-5-18"')).toHaveLength(5);
});

test.each(['', '"a","b"', '"S-1-5-18","x"'])('whoami says %j: an error, and no access list is changed', (said) => {
  const ran: string[] = [];
  const run = ((program: string) => {
    ran.push(program);
    return said;
  }) as typeof execFileSync;
  expect(() => keepToOwner('C:\\s', run)).toThrow(/could not be kept from other users.*whoami/);
  expect(ran).toEqual(['whoami']);
});
