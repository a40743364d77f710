import { readFileSync } from 'node:fs';
import { globSync } from 'node:fs';
import { expect, test } from 'vitest';

/** Ties docs/spec/invariants.md to code and tests: nothing listed without a guard and a test, nothing cited that is not listed. */
const root = new URL('..', import.meta.url).pathname;
const listed = [...readFileSync(`${root}docs/spec/invariants.md`, 'utf8').matchAll(/^- \*\*(INV-\d\d)\*\*/gm)].map(
  (match) => match[1] as string,
);
const sources = globSync('{protocol,core,codec,functions,agent,cli,local,infra,test}/**/*.ts', { cwd: root }).filter(
  (path) => !path.includes('/.types/'),
);
const cited = (paths: readonly string[]) =>
  new Set(paths.flatMap((path) => [...readFileSync(root + path, 'utf8').matchAll(/INV-\d\d/g)].map((match) => match[0])));
const isTest = (path: string) => path.endsWith('.test.ts') || path.startsWith('test/');

test('numbers are listed once', () => {
  expect(new Set(listed).size).toBe(listed.length);
});

test('every listed invariant is cited by code and by a test', () => {
  const inCode = cited(sources.filter((path) => !isTest(path)));
  const inTests = cited(sources.filter((path) => isTest(path) && !path.endsWith('invariants.test.ts')));
  expect(listed.filter((id) => !inCode.has(id))).toEqual([]);
  expect(listed.filter((id) => !inTests.has(id))).toEqual([]);
});

test('every cited invariant is listed, with what enforces it', () => {
  const text = readFileSync(`${root}docs/spec/invariants.md`, 'utf8');
  expect([...cited(sources)].filter((id) => !listed.includes(id))).toEqual([]);
  for (const id of listed) expect(text.split(`**${id}**`)[1]?.split('**INV-')[0], id).toContain('*Enforced by:*');
});
