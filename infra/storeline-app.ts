/**
 * The CDK app: one stack per organization, checked by two rule packs. A finding that nobody acknowledged with a
 * reason fails the synthesis.
 */
import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks, ServerlessChecks } from 'cdk-nag';
import { BUNDLING_STACKS } from 'aws-cdk-lib/cx-api';
import type { Organization } from '../protocol/organization.ts';
import { StorelineStack } from './storeline-stack.ts';

export function storelineApp(organizations: readonly Organization[], { outdir, bundle = true }: { outdir: string; bundle?: boolean }): App {
  const context = bundle ? {} : { [BUNDLING_STACKS]: [] };
  const app = new App({ outdir, context, analyticsReporting: false, treeMetadata: false });
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app), new ServerlessChecks(app));
  for (const organization of organizations) addStack(app, organization);
  return app;
}

function addStack(app: App, organization: Organization): StorelineStack {
  return new StorelineStack(app, `storeline-${organization.name}`, organization);
}
