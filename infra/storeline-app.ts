/**
 * The CDK app: one stack per organization, checked by two rule packs and its workflows by the rules of their language. A finding that nobody acknowledged with a
 * reason fails the synthesis.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks, ServerlessChecks } from 'cdk-nag';
import type { Organization } from '../protocol/organization.ts';
import { writeBundles } from './bundles.ts';
import { FUNCTION_NAMES } from './constructs/functions.ts';
import { StorelineStack } from './storeline-stack.ts';
import { WorkflowChecks } from './workflow-checks.ts';

interface Options {
  readonly outdir: string;
  /** Without bundles the templates are the same but for the names of the assets. */
  readonly bundle?: boolean;
}

export function storelineApp(organizations: readonly Organization[], { outdir, bundle = true }: Options): App {
  const app = new App({ outdir, analyticsReporting: false, treeMetadata: false });
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app), new ServerlessChecks(app), new WorkflowChecks());
  const bundles = mkdtempSync(join(tmpdir(), 'storeline-bundles-'));
  try {
    if (bundle) writeBundles(FUNCTION_NAMES, bundles);
    else for (const name of FUNCTION_NAMES) mkdirSync(join(bundles, name));
    // The assembly takes its own copy of each bundle.
    for (const organization of organizations) addStack(app, organization, bundles);
  } finally {
    rmSync(bundles, { recursive: true });
  }
  return app;
}

function addStack(app: App, organization: Organization, bundles: string): StorelineStack {
  return new StorelineStack(app, `storeline-${organization.name}`, { organization, bundles });
}
