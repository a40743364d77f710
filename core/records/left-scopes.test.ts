import { expect, test } from 'vitest';
import { limits } from '../../protocol/limits.ts';
import type { MainRecord } from '../ports/record-store.ts';
import { leftScopes } from './left-scopes.ts';

const NOW = 1_790_000_000_000;
const record = (more: Partial<MainRecord>): MainRecord => ({
  collection: 'customer',
  key: '1',
  rev: 1,
  scopes: ['store:S1', 'store:S2'],
  deleted: false,
  updatedAt: '',
  fields: {},
  ...more,
});

test('a scope that is left is kept with its time, and one that is entered again is not', () => {
  expect(leftScopes(null, ['org'], NOW)).toEqual({});
  expect(leftScopes(record({}), ['store:S1', 'store:S2'], NOW)).toEqual({});
  expect(leftScopes(record({}), ['store:S2', 'store:S3'], NOW)).toEqual({ left: { 'store:S1': NOW } });
  expect(leftScopes(record({ left: { 'store:S3': NOW - 5 } }), ['store:S3'], NOW)).toEqual({
    left: { 'store:S1': NOW, 'store:S2': NOW },
  });
});

test('what was left so long ago that no feed leads there any more is not kept', () => {
  const left = { 'store:S8': NOW - limits.leftScopeMs, 'store:S9': NOW - limits.leftScopeMs + 1 };
  expect(leftScopes(record({ left }), ['store:S1', 'store:S2'], NOW)).toEqual({ left: { 'store:S9': NOW - limits.leftScopeMs + 1 } });
});
