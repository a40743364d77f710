import type { SQSClient, SendMessageBatchCommand } from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { FeedName } from '../../protocol/feed.ts';
import { SqsCompactionRequests } from './sqs-compaction-requests.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A queue that takes a message when `takes` says so, by its body and how often it came. */
function queue(takes: (body: string, times: number) => boolean) {
  const came = new Map<string, number>();
  const taken: string[] = [];
  const send = ({ input }: SendMessageBatchCommand) => {
    const entries = (input.Entries ?? []).map(({ Id, MessageBody = '' }) => {
      came.set(MessageBody, (came.get(MessageBody) ?? 0) + 1);
      return { Id, MessageBody, ok: takes(MessageBody, came.get(MessageBody) ?? 0) };
    });
    for (const { MessageBody, ok } of entries) if (ok) taken.push((JSON.parse(MessageBody) as { feed: string }).feed);
    const results = (wanted: boolean) => entries.filter(({ ok }) => ok === wanted).map(({ Id }) => ({ Id }));
    return Promise.resolve({ Successful: results(true), Failed: results(false) });
  };
  return { requests: new SqsCompactionRequests({ send } as unknown as SQSClient, 'queue'), taken, came };
}
const feeds = Array.from({ length: 23 }, (_, index): FeedName => `Customer@store:S${index}`);

test('a message that the queue refused is sent again, and only that', async () => {
  const { requests, taken, came } = queue((body, times) => !body.includes('S1') || times > 2);
  const rung = requests.ring(feeds, 'snapshot');
  await vi.runAllTimersAsync();
  await rung;
  expect(taken.sort()).toEqual([...feeds].sort());
  expect([...came.values()].filter((times) => times > 1)).toEqual(Array.from({ length: 11 }, () => 3));
});

test('a queue that goes on refusing is UNAVAILABLE', async () => {
  const { requests, came } = queue(() => false);
  const rung = expect(requests.ring(feeds.slice(0, 1), 'segments')).rejects.toMatchObject({ code: 'UNAVAILABLE', remedy: 'retry-later' });
  await vi.runAllTimersAsync();
  await rung;
  expect([...came.values()]).toEqual([8]);
});
