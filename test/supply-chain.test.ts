import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

/** What is installed: under a licence that we took, whole by its digest, and running nothing at install that nobody approved. */
const PROJECT = join(import.meta.dirname, '..');
const read = (file: string): unknown => JSON.parse(readFileSync(join(PROJECT, file), 'utf8'));

interface Locked {
  readonly version: string;
  readonly license?: string;
  readonly integrity?: string;
  readonly dev?: boolean;
  readonly hasInstallScript?: boolean;
  readonly inBundle?: boolean;
}

const { packages } = read('package-lock.json') as { readonly packages: Readonly<Record<string, Locked>> };
const installed = Object.entries(packages)
  .filter(([path]) => path !== '')
  .map(([path, locked]) => ({ name: path.replace(/^.*node_modules\//, ''), ...locked }));

/** May be in what a store or an account runs: none asks for more than its own notice. */
const SHIPPED = ['MIT', 'MIT-0', 'Apache-2.0', 'ISC', 'BSD-3-Clause', '0BSD', '(MIT OR Apache-2.0)'];

/** Only ever run while developing. */
const TOOLS = [...SHIPPED, 'BlueOak-1.0.0', 'MPL-2.0', '(MIT OR GPL-3.0-or-later)'];

/** Packages whose manifest says it in a way that no tool reads, each by its own text. */
const SAID_ELSEWHERE: Readonly<Record<string, string>> = {
  'busboy@0.3.1': 'MIT, in its LICENSE file',
  'dicer@0.3.0': 'MIT, in its LICENSE file',
  'streamsearch@0.1.2': 'MIT, in its LICENSE file',
  'humanize-number@0.0.2': 'MIT, in its Readme',
  'only@0.0.2': 'MIT, in its Readme',
};

test('every package has a licence of the list; what is shipped a narrower one', () => {
  const refused = installed.filter(({ name, version, license, dev }) => {
    if (license === undefined) return dev !== true || SAID_ELSEWHERE[`${name}@${version}`] === undefined;
    return !(dev === true ? TOOLS : SHIPPED).includes(license);
  });
  expect(refused.map(({ name, version, license }) => `${name}@${version}: ${license ?? 'says none'}`)).toEqual([]);
});

test('an exception that nothing needs any more is gone', () => {
  const needed = installed.filter(({ license }) => license === undefined).map(({ name, version }) => `${name}@${version}`);
  expect(Object.keys(SAID_ELSEWHERE).toSorted()).toEqual(needed.toSorted());
});

test('every package is held to its digest, or comes inside one that is', () => {
  expect(installed.filter(({ integrity, inBundle }) => integrity === undefined && inBundle !== true).map(({ name }) => name)).toEqual([]);
});

test('what runs a script at its install is named and approved', () => {
  const { allowScripts } = read('package.json') as { readonly allowScripts: Readonly<Record<string, boolean>> };
  const running = installed.filter(({ hasInstallScript }) => hasInstallScript === true).map(({ name }) => name);
  expect(running.toSorted()).toEqual(Object.keys(allowScripts).toSorted());
});

test('the command line that deploys is not the one that was published by accident', () => {
  expect(packages['node_modules/aws-cdk']?.version).toMatch(/^2\./);
});

test('the list of parts can be made, and has everything that is installed', () => {
  // Whole: asked to leave development out, npm 11 leaves out what is shipped as well where a tool needs it too.
  const text = execFileSync('npm', ['run', '-s', 'sbom'], { cwd: PROJECT, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  const { components } = JSON.parse(text) as { readonly components: { readonly name: string; readonly version: string }[] };
  const listed = new Set(components.map(({ name, version }) => `${name}@${version}`));
  const missing = installed.filter(({ name, version, inBundle }) => inBundle !== true && !listed.has(`${name}@${version}`));
  expect(missing.map(({ name }) => name)).toEqual([]);
});
