import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { forgetDeployed, functionsOf, outputsFile, readDeployed, writeDeployed } from './deployed.ts';

const orgs = mkdtempSync(join(tmpdir(), 'storeline-deployed-'));
afterAll(() => rmSync(orgs, { recursive: true }));

const acme = {
  organization: 'acme',
  stack: 'storeline-acme',
  account: '111122223333',
  region: 'eu-west-1',
  readAt: '2026-01-01T00:00:00.000Z',
  outputs: { FunctionConsoleApi: 'storeline-acme-console-api', FunctionPlan: 'storeline-acme-plan', ApiUrl: 'https://acme.example/' },
};

test('what is known of a deployment is read as it was written, and is nothing before and after', () => {
  expect(readDeployed(orgs, 'acme')).toBeNull();
  writeDeployed(orgs, acme, { Resources: {} });
  expect(readDeployed(orgs, 'acme')).toEqual(acme);
  expect(readdirSync(join(orgs, '.outputs')).toSorted()).toEqual(['acme.json', 'acme.template.json']);
  forgetDeployed(orgs, 'acme');
  expect(readdirSync(join(orgs, '.outputs'))).toEqual([]);
  expect(readDeployed(orgs, 'acme')).toBeNull();
});

test('what cannot be read is said, with what makes it again', () => {
  writeDeployed(orgs, acme, { Resources: {} });
  writeFileSync(outputsFile(orgs, 'acme'), '{"organization":');
  expect(() => readDeployed(orgs, 'acme')).toThrow(/outputs acme --refresh/);
});

test('functions are known by their folder, each in its account', () => {
  expect(functionsOf(acme)).toEqual({
    'console-api': '111122223333:function:storeline-acme-console-api',
    plan: '111122223333:function:storeline-acme-plan',
  });
});
