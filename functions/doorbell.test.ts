import { expect, test } from 'vitest';
import { createDoorbell } from './doorbell.ts';

test('a doorbell that fails is told, and holds up nobody', async () => {
  const lost: unknown[] = [];
  const failure = new Error('queue down');
  const doorbell = createDoorbell({ ring: () => Promise.reject(failure) }, (error) => lost.push(error));
  await expect(doorbell.ring(['Customer@org'], 'snapshot')).resolves.toBeUndefined();
  expect(lost).toEqual([failure]);
});
