import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { expect, test } from 'vitest';
import { systemIo } from '../agent/agent-io.ts';
import { createProgram as createAgent } from '../agent/main.ts';
import { createProgram as createStoreline } from '../cli/program.ts';

/** Commands that pages name exist, with the options that they name. */
const ROOT = join(import.meta.dirname, '..');
const pages = ['README.md', ...readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' }).map((name) => join('docs', name))];
const programs: Readonly<Record<string, Command>> = {
  storeline: createStoreline(),
  agent: createAgent(systemIo(new AbortController().signal), () => {}),
};

interface Named {
  readonly page: string;
  readonly text: string;
  readonly program: string;
  readonly words: readonly string[];
}

function commandsIn(page: string): Named[] {
  const text = readFileSync(join(ROOT, page), 'utf8').replaceAll('\\|', '|');
  const code = [...text.matchAll(/```\w*\n([\s\S]*?)```|`([^`\n]+)`/g)].flatMap(([, block, inline]) => (block ?? inline ?? '').split('\n'));
  return code.flatMap((line) => {
    const [, program = '', rest = ''] = /^(?:npm run -s )?(storeline|agent)(?: --)? (.+)$/.exec(line.trim()) ?? [];
    return program === '' ? [] : [{ page, text: line, program, words: rest.split(/\s+/) }];
  });
}

/** What of it does not exist; the first words are commands as long as they are known, and may be alternatives. */
function unknownIn({ program, words }: Named): string[] {
  let commands = [programs[program] as Command];
  for (const word of words) {
    const next = word.split('|').map((name) => commands.flatMap((command) => command.commands.find((one) => one.name() === name) ?? []));
    if (next.every((found) => found.length > 0)) commands = next.flat();
    else if (commands[0]?.commands.length !== 0 && /^[a-z|-]+$/.test(word) && !word.startsWith('-')) return [word];
    else break;
  }
  const known = new Set(['--help', '--version', ...commands.flatMap(({ options }) => options.flatMap(({ long }) => long ?? []))]);
  return words.flatMap((word) => /^\[?(--[a-z-]+)/.exec(word)?.[1] ?? []).filter((option) => !known.has(option));
}

const named = pages.filter((page) => page.endsWith('.md')).flatMap(commandsIn);

test('there are some', () => {
  expect(named.length).toBeGreaterThan(40);
});

test.each(named)('$page: $text', (one) => {
  expect(unknownIn(one)).toEqual([]);
});

test('whoever restores head office is told to close every door of stores, and of every act on who may speak for one', () => {
  const source = readFileSync(join(ROOT, 'infra/constructs/api.ts'), 'utf8');
  const routes = [...(/const ROUTES = \[(.*?)\]/s.exec(source)?.[1] ?? '').matchAll(/'([a-z-]+)'/g)].map(([, route]) => String(route));
  const page = readFileSync(join(ROOT, 'docs/operations/restore.md'), 'utf8');
  const closed = page.split('\n').find((line) => line.startsWith('2. ')) ?? '';
  expect(routes.filter((route) => route !== 'console' && !closed.includes(`\`${route}\``))).toEqual([]);
  const acts = ['store.revoke', 'store.decommission', 'store.code', 'store.rotate-key'];
  expect(acts.filter((act) => !page.includes(`\`${act}\``))).toEqual([]);
  const steps = [...page.matchAll(/^(\d+)\. /gm)].map(([, number]) => Number(number));
  expect(steps).toEqual(steps.map((_, index) => index + 1));
});
