/**
 * The CDK app: one stack per organization, checked by two rule packs. A finding that nobody acknowledged with a
 * reason fails the synthesis.
 */
import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks, ServerlessChecks } from 'cdk-nag';
import type { Organization } from '../protocol/organization.ts';
import { StorelineStack } from './storeline-stack.ts';

export function storelineApp(organizations: readonly Organization[], outdir: string): App {
  const app = new App({ outdir, analyticsReporting: false, treeMetadata: false });
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app), new ServerlessChecks(app));
  for (const organization of organizations) {
    new StorelineStack(app, `storeline-${organization.name}`, organization);
  }
  return app;
}
