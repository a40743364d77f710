import { beforeEach, expect, test } from 'vitest';
import { guardOf } from './guard.ts';
import { statementSchema } from './statement.ts';

const said: string[] = [];
const allowed = statementSchema.parse({ Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::bucket/chunks/*' });
const guard = guardOf(
  [
    { shortName: 'plan', permissions: [allowed] },
    { shortName: 'free', permissions: null },
  ],
  (message) => said.push(message),
);
const get = (key: string) => ({ service: 's3' as const, method: 'GET', path: `/bucket/${key}`, headers: {}, body: Buffer.alloc(0) });

beforeEach(() => {
  said.length = 0;
});

test('what a role allows is let through, and nothing is said', () => {
  expect(guard('plan', get('chunks/a'))).toBeNull();
  expect(said).toEqual([]);
});

test('what it does not is refused, and that is said', () => {
  const denial = 'plan is not authorized to perform s3:GetObject on bucket/other';
  expect(guard('plan', get('other'))).toBe(denial);
  expect(said).toEqual([`refused: ${denial}`]);
});

test('that an object is missing is a refusal of its own', () =>
  expect(guard('plan', { ...get('chunks/a'), missing: true })).toBe('plan is not authorized to perform s3:ListBucket on bucket'));

test('who has no role in the template may do anything; who is none, nothing', () => {
  expect(guard('free', get('other'))).toBeNull();
  expect(guard('nobody', get('chunks/a'))).toContain('no function has this name');
  expect(said).toHaveLength(1);
});
