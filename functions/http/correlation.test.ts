import { Logger } from '@aws-lambda-powertools/logger';
import type { APIGatewayProxyEventV2, Context } from 'aws-lambda';
import { afterEach, expect, test, vi } from 'vitest';
import * as z from 'zod';
import { SyncError } from '../../protocol/sync-error.ts';
import { httpFunction } from './http-function.ts';

const ID = '01890000-0000-7000-8000-000000000001';
const schema = z.object({ protocol: z.int(), fail: z.enum(['no', 'refused', 'bug']) });

afterEach(() => vi.unstubAllEnvs());

/** The function's log lines of these requests, one after the other in one environment. */
async function logged(requests: readonly { readonly id?: string; readonly fail: string }[]): Promise<Record<string, unknown>[]> {
  // Otherwise the logger writes past everything that could be looked at.
  vi.stubEnv('POWERTOOLS_DEV', 'true');
  const lines: Record<string, unknown>[] = [];
  const take = (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>);
  const spies = [vi.spyOn(console, 'info').mockImplementation(take), vi.spyOn(console, 'error').mockImplementation(take)];
  const logger = new Logger({ serviceName: 'test', logLevel: 'INFO' });
  const handler = httpFunction({ logger, clock: { now: () => 0 } }, schema, ({ body }) => {
    logger.info('done something');
    if (body.fail === 'bug') throw new Error('oh');
    if (body.fail === 'refused') throw new SyncError('NOT_FOUND', 'no customer Hepzibah');
    return Promise.resolve({});
  });
  for (const { id, fail } of requests) {
    const event = { headers: id === undefined ? {} : { 'x-correlation-id': id }, body: JSON.stringify({ protocol: 2, fail }) };
    const http = { method: 'POST', path: '/v1/plan' };
    await handler({ ...event, requestContext: { http } } as unknown as APIGatewayProxyEventV2, { awsRequestId: 'r' } as Context);
  }
  for (const spy of spies) spy.mockRestore();
  return lines;
}

test('every line of a request has the id that the agent has for it, and none has that of the request before', async () => {
  const lines = await logged([{ id: ID, fail: 'no' }, { id: ID, fail: 'refused' }, { id: ID, fail: 'bug' }, { fail: 'no' }]);
  expect(lines.map(({ message, correlationId }) => [message, correlationId])).toEqual([
    ['done something', ID],
    ['done something', ID],
    ['request refused', ID],
    ['done something', ID],
    ['request failed', ID],
    ['done something', undefined],
  ]);
  expect(lines.map(({ function_request_id: id }) => id)).toEqual(lines.map(() => 'r'));
  expect(lines[2]).toMatchObject({ code: 'NOT_FOUND' });
  expect(JSON.stringify(lines)).not.toContain('Hepzibah');
});

test.each([
  ['nothing', ''],
  ['a word', 'x'],
  ['a line of its own', `${ID}\n{"level":"ERROR"}`],
  ['two of them', ID.repeat(2)],
  ['a flood', 'a'.repeat(10_000)],
])('what is no id is not logged: %s', async (_, id) => {
  const lines = await logged([{ id, fail: 'refused' }]);
  expect(lines.map(({ correlationId }) => correlationId)).toEqual([undefined, undefined]);
});
