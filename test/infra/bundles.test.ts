import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeBundles } from '../../infra/bundles.ts';
import { FUNCTION_NAMES } from '../../infra/constructs/functions.ts';

/**
 * What a cold start loads. The budget is what the largest function needs today and a tenth more: a library that gets into a
 * bundle by accident is larger than that. How long it takes is measured by `npm run -s bench -- cold`.
 */
const BUNDLE_BYTES_MAX = 870_000;
/** None of these belongs into a function. */
const STRANGERS = ['aws-cdk-lib', 'commander', 'hono', 'csv-parse', 'fauxqs', 'oidc-provider'];

const folder = mkdtempSync(join(tmpdir(), 'storeline-bundles-'));
beforeAll(() => writeBundles(FUNCTION_NAMES, folder));
afterAll(() => rmSync(folder, { recursive: true }));

test.each(FUNCTION_NAMES)('the bundle of %s is within its budget and holds what it needs only', (name) => {
  const file = join(folder, name, 'index.mjs');
  expect(statSync(file).size).toBeLessThan(BUNDLE_BYTES_MAX);
  const text = readFileSync(file, 'utf8');
  for (const stranger of STRANGERS) expect(text.includes(`node_modules/${stranger}/`), stranger).toBe(false);
  // Locales of the schema library are half a megabyte: they come in by its named export.
  expect(text).not.toMatch(/Ungültige Eingabe|Entrée invalide/);
});
