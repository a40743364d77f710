import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { parse } from 'csv-parse/sync';
import { afterAll, expect, test, vi } from 'vitest';
import { COMPONENT_NAMES } from '../../protocol/catalogue/types.ts';
import { detailsAsMarkdown } from '../../protocol/sync-details/markdown.ts';
import { syncDetailsSchema } from '../../protocol/sync-details/schema.ts';
import { syncDetails } from '../../protocol/sync-details/sync-details.ts';
import { addComponentsCommand } from './components.ts';
import { addDataSyncDetailsCommand } from './data-sync-details.ts';

const dir = mkdtempSync(join(tmpdir(), 'storeline-details-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

async function run(...args: string[]): Promise<{ out: string; said: string }> {
  const [out, said]: [string[], string[]] = [[], []];
  const stdout = vi.spyOn(process.stdout, 'write').mockImplementation((text) => out.push(String(text)) > 0);
  const stderr = vi.spyOn(process.stderr, 'write').mockImplementation((text) => said.push(String(text)) > 0);
  try {
    const program = new Command().exitOverride();
    addComponentsCommand(program);
    addDataSyncDetailsCommand(program);
    await program.parseAsync(args, { from: 'user' });
  } finally {
    stdout.mockRestore();
    stderr.mockRestore();
  }
  return { out: out.join(''), said: said.join('') };
}

const details = (...args: string[]) => run('data-sync-details', ...args);

test('markdown unless something else is asked for, and nothing but the document', async () => {
  expect(await details()).toEqual({ out: detailsAsMarkdown(syncDetails()), said: '' });
  expect(await details('--format', 'md')).toEqual(await details());
});

test('JSON by either option fits its schema, and CSV has a row an attribute', async () => {
  const { out } = await details('--format', 'json');
  expect(syncDetailsSchema.parse(JSON.parse(out))).toEqual(syncDetails());
  expect((await details('--json')).out).toBe(out);
  expect((await details('--json', '--format', 'json')).out).toBe(out);
  const rows = parse((await details('--format', 'csv', '--component', 'Fraud Users List')).out, { columns: true }) as object[];
  expect(rows).toHaveLength(5);
});

test.each(COMPONENT_NAMES)('of %s only, in upper or lower case', async (name) => {
  const { out } = await details('--json', '--component', name);
  expect(syncDetailsSchema.parse(JSON.parse(out)).components.map((component) => component.name)).toEqual([name]);
  expect((await details('--json', '--component', name.toUpperCase())).out).toBe(out);
});

test('into a file, which is the same text', async () => {
  const file = join(dir, 'details.csv');
  expect(await details('--format', 'csv', '--out', file)).toEqual({ out: '', said: `${file} written.\n` });
  expect(readFileSync(file, 'utf8')).toBe((await details('--format', 'csv')).out);
});

test('what is wrong is said, with what there is instead', async () => {
  const names = COMPONENT_NAMES.join(', ');
  await expect(details('--component', 'Orders')).rejects.toMatchObject({
    code: 'INVALID_INPUT',
    message: `there is no component "Orders"; there are ${names}`,
  });
  await expect(details('--format', 'pdf')).rejects.toMatchObject({ code: 'INVALID_INPUT', message: '--format is md, json, csv, not pdf' });
  await expect(details('--format', 'toString')).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  await expect(details('--format', 'csv', '--json')).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  await expect(details('--out', join(dir, 'nowhere', 'x.md'))).rejects.toMatchObject({ code: 'INVALID_INPUT' });
});

test('the list of components says the same of each', async () => {
  const listed = JSON.parse((await run('components', '--json')).out) as { component: string; status: object; why: string | null }[];
  expect(listed.map(({ component, status, why }) => ({ name: component, status, why }))).toEqual(
    syncDetails().components.map(({ name, status, why }) => ({ name, status, why })),
  );
  const text = (await run('components')).out;
  expect(text.split('\n')).toHaveLength(1 + 14 + 1 + 2 + 1);
  for (const { why } of listed) if (why !== null) expect(text).toContain(why);
});
