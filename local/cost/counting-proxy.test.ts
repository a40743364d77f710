import { afterAll, expect, test } from 'vitest';
import { startCountingProxy } from './counting-proxy.ts';
import { CostMeter } from './meter.ts';

const nowhere = 'http://127.0.0.1:1';
const proxy = await startCountingProxy({ dynamodb: nowhere, s3: nowhere, sqs: nowhere, sfn: nowhere }, new CostMeter());
afterAll(() => proxy.close());
const status = async (address: string) => (await fetch(address)).status;

test('who is not known yet may do nothing', async () => {
  expect(await status(`${proxy.endpoint('s3', 'plan')}/bucket/chunks/a`)).toBe(403);
  expect(await status(proxy.endpoint('sqs', 'plan'))).toBe(400);
});

test('a service that is not known is none', async () => {
  expect(await status(proxy.endpoint('s3', 'plan').replace('/s3/', '/kms/'))).toBe(404);
  expect(await status(proxy.endpoint('s3', 'plan').replace('/s3/', '/constructor/'))).toBe(404);
});
