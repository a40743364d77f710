import { Logger } from '@aws-lambda-powertools/logger';
import type { Context } from 'aws-lambda';
import { expect, test } from 'vitest';
import * as z from 'zod';
import { SyncError } from '../protocol/sync-error.ts';
import { invokedFunction } from './invoked-function.ts';

const context = { functionName: 'test', awsRequestId: 'r' } as Context;
const invoke = (event: object, run: () => Promise<object>) => invokedFunction(new Logger(), z.object({}), run)(event, context);
const refused = () => Promise.reject(new SyncError('INTEGRITY', 'the segments are gone'));

test('a person is told why something was refused', async () => {
  await expect(invoke({}, refused)).resolves.toMatchObject({ error: { code: 'INTEGRITY' } });
});

test('what the schedule asks for and is refused is a failure of the function, which is tried again and counted', async () => {
  const event = { 'detail-type': 'Scheduled Event', source: 'aws.events' };
  await expect(invoke(event, refused)).rejects.toMatchObject({ code: 'INTEGRITY' });
  await expect(invoke(event, () => Promise.resolve({ done: 1 }))).resolves.toEqual({ done: 1 });
});

test('a bug is a failure, whoever asked', async () => {
  await expect(invoke({}, () => Promise.reject(new TypeError('x')))).rejects.toThrow(TypeError);
});
