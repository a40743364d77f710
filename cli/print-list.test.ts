import { Command } from 'commander';
import { expect, test, vi } from 'vitest';
import { printList, withListOptions } from './print-list.ts';

/** A list of 250 numbers, of which a call gives at most 40. */
function numbers() {
  const asked: number[] = [];
  const fetch = ({ limit, after }: { limit: number; after?: string }) => {
    asked.push(limit);
    const from = after === undefined ? 0 : Number(after) + 1;
    const to = Math.min(from + Math.min(limit, 40), 250);
    const entries = Array.from({ length: to - from }, (_, index) => from + index);
    return Promise.resolve({ entries, next: to < 250 ? String(to - 1) : null });
  };
  return { fetch, asked };
}

async function list(options: { limit?: number; after?: string; json?: boolean }) {
  const written: string[] = [];
  const said: string[] = [];
  const stderr = vi.spyOn(process.stderr, 'write').mockImplementation((text) => said.push(String(text)) > 0);
  const { fetch, asked } = numbers();
  await printList({ dir: '', ...options }, fetch, {
    name: 'numbers',
    text: (entries) => entries.join(' '),
    write: (text) => void written.push(text),
  });
  stderr.mockRestore();
  return { out: written.join(''), writes: written.length, said: said.join(''), asked };
}

test('people see the first hundred, and how to go on', async () => {
  const { out, said, asked } = await list({});
  expect(out.trim().split(' ')).toHaveLength(100);
  expect(said).toBe('There is more: --after 99\n');
  expect(asked).toEqual([100, 60, 20]);
  expect(await list({ after: '199' })).toMatchObject({ said: '', out: expect.stringMatching(/^200 .* 249\n$/) as string });
});

test('JSON is all of it, written while it comes, and one value', async () => {
  const { out, writes } = await list({ json: true });
  expect(JSON.parse(out)).toEqual({ numbers: Array.from({ length: 250 }, (_, index) => index), next: null });
  expect(writes).toBeGreaterThan(250);
});

test('JSON with a limit says where it ended, and an empty list is one value too', async () => {
  expect(JSON.parse((await list({ json: true, limit: 2, after: '9' })).out)).toEqual({ numbers: [10, 11], next: '11' });
  expect((await list({ json: true, after: '249' })).out).toBe('{"numbers":[],"next":null}\n');
});

test.each(['0', '-1', 'x', '1.5', ''])('--limit %j is refused', (limit) => {
  const command = withListOptions(new Command().exitOverride().configureOutput({ writeErr: () => {} })).action(() => {});
  expect(() => command.parse(['--dir', 'x', '--limit', limit], { from: 'user' })).toThrow(/whole number/);
});
