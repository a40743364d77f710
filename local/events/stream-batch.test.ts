import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type BatchRecord,
  type BatchSettings,
  type Outcome,
  type Segment,
  backoffMs,
  batchEnd,
  decide,
  expire,
  outcomeOf,
} from './stream-batch.ts';

const settings: BatchSettings = { batchSize: 100, bisect: true, reportItemFailures: true, retryAttempts: 2, recordAgeMaxMs: 1_000 };
const records = (count: number, bytes = 10): BatchRecord[] =>
  Array.from({ length: count }, (_, index) => ({ sequenceNumber: `s${index}`, bytes, createdAtMs: 0 }));
const whole = (count: number): Segment[] => [{ from: 0, to: count, attempts: 0 }];

describe('a batch', () => {
  test('ends at its size or at 6 MB, and has at least one record', () => {
    expect(batchEnd(records(250), 100)).toBe(100);
    expect(batchEnd(records(7), 100)).toBe(7);
    expect(batchEnd(records(10, 2_000_000), 100)).toBe(3);
    expect(batchEnd(records(2, 9_000_000), 100)).toBe(1);
  });
});

describe('an answer', () => {
  const [segment] = whole(5);
  test.each<[unknown, Outcome]>([
    [null, { kind: 'ok' }],
    [{ batchItemFailures: [] }, { kind: 'ok' }],
    [{ batchItemFailures: [{ itemIdentifier: 's3' }, { itemIdentifier: 's2' }] }, { kind: 'failed-from', index: 2 }],
    [{ batchItemFailures: [{ itemIdentifier: 'other' }] }, { kind: 'error' }],
    [{ batchItemFailures: [{ itemIdentifier: '' }] }, { kind: 'error' }],
    [{ batchItemFailures: 'all' }, { kind: 'error' }],
  ])('%j', (answer, outcome) => {
    expect(outcomeOf(answer, records(5), segment as Segment)).toEqual(outcome);
  });
});

describe('after', () => {
  test('success, everything is done', () => {
    expect(decide(whole(5), { kind: 'ok' }, settings)).toEqual({ segments: [], doneTo: 5, setAside: null });
  });

  test('a reported failure, what came before it is done', () => {
    expect(decide(whole(5), { kind: 'failed-from', index: 2 }, settings)).toEqual({
      segments: [{ from: 2, to: 5, attempts: 0 }],
      doneTo: 2,
      setAside: null,
    });
  });

  test('an error, the batch is halved without costing a retry', () => {
    expect(decide(whole(5), { kind: 'error' }, settings).segments).toEqual([
      { from: 0, to: 3, attempts: 0 },
      { from: 3, to: 5, attempts: 0 },
    ]);
  });

  test('an error without halving, the same batch is tried again and set aside at last', () => {
    const plain = { ...settings, bisect: false };
    expect(decide([{ from: 0, to: 5, attempts: 1 }], { kind: 'error' }, plain)).toEqual({
      segments: [{ from: 0, to: 5, attempts: 2 }],
      doneTo: null,
      setAside: null,
    });
    expect(decide([{ from: 0, to: 5, attempts: 2 }], { kind: 'error' }, plain)).toEqual({
      segments: [],
      doneTo: 5,
      setAside: { segment: { from: 0, to: 5, attempts: 3 }, condition: 'RetryAttemptsExhausted' },
    });
  });

  test('too long, old records are set aside and the young ones tried', () => {
    const aged = records(4).map((record, index) => ({ ...record, createdAtMs: index * 1_000 }));
    expect(expire(whole(4), aged, { now: 3_500, recordAgeMaxMs: 1_000 })).toEqual({
      segments: [{ from: 3, to: 4, attempts: 0 }],
      doneTo: 3,
      setAside: { segment: { from: 0, to: 3, attempts: 0 }, condition: 'RecordAgeExceeded' },
    });
    expect(expire(whole(4), aged, { now: 500, recordAgeMaxMs: 1_000 })).toBeNull();
  });

  test('failures, waiting grows to a limit', () => {
    expect(backoffMs(1)).toBeLessThan(backoffMs(2));
    expect(backoffMs(100)).toBe(30_000);
  });
});

test('whatever fails, every record is finished once and in order, and only poison is set aside', () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 60 }), fc.integer({ min: 0, max: 3 }), (poison, retryAttempts) => {
      const finished: number[] = [];
      const aside: number[] = [];
      let segments: readonly Segment[] = whole(poison.length);
      let done = 0;
      let calls = 0;
      while (segments[0] !== undefined) {
        const { from, to } = segments[0];
        calls += 1;
        const outcome: Outcome = poison.slice(from, to).includes(true) ? { kind: 'error' } : { kind: 'ok' };
        const decision = decide(segments, outcome, { ...settings, retryAttempts });
        if (decision.setAside !== null) aside.push(decision.setAside.segment.from);
        if (decision.doneTo !== null) {
          for (; done < decision.doneTo; done += 1) finished.push(done);
        }
        segments = decision.segments;
      }
      expect(finished).toEqual(poison.map((_, index) => index));
      expect(aside).toEqual(poison.flatMap((bad, index) => (bad ? [index] : [])));
      expect(calls).toBeLessThan(poison.length * (3 + retryAttempts) + 2);
    }),
  );
});
