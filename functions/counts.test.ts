import { afterEach, expect, test, vi } from 'vitest';
import { createCounts } from './counts.ts';

afterEach(() => vi.unstubAllEnvs());

test('a count is a line that CloudWatch makes a metric of, with one dimension and nobody in it; nothing is no line', () => {
  vi.stubEnv('POWERTOOLS_DEV', 'true');
  vi.stubEnv('POWERTOOLS_METRICS_DISABLED', 'false');
  const lines: unknown[] = [];
  const spy = vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(JSON.parse(line)));
  const count = createCounts('demo');
  count('operations-applied', 7);
  count('uploads-lost', 0);
  count('uploads-lost', 1);
  spy.mockRestore();
  const metric = (name: string, value: number) => ({
    _aws: {
      Timestamp: expect.any(Number) as number,
      CloudWatchMetrics: [{ Namespace: 'Storeline/demo', Dimensions: [['service']], Metrics: [{ Name: name, Unit: 'Count' }] }],
    },
    service: 'head-office',
    [name]: value,
  });
  expect(lines).toEqual([metric('operations-applied', 7), metric('uploads-lost', 1)]);
});
