import type * as z from 'zod';
import { components } from '../../protocol/catalogue/catalogue.ts';
import { type FeedName, splitFeedName } from '../../protocol/feed.ts';
import type { RebuildRequest, rebuildCallSchema } from '../../protocol/messages/rebuild.ts';
import { type StepDeps, takenStep } from '../undertakings/taken-step.ts';
import { type RebuildDeps, rebuildStep } from './rebuild.ts';

/** What only counts needs nobody's word; everything else is part of a rebuild of its component. */
export async function undertakenRebuild(
  deps: RebuildDeps & StepDeps,
  { undertakingId, step }: z.output<typeof rebuildCallSchema>,
): Promise<object> {
  if (!step.dryRun) await takenStep(deps, undertakingId, { kind: 'rebuild', subject: componentOf(step) });
  return rebuildStep(deps, step);
}

function componentOf(step: RebuildRequest): string {
  if (step.op === 'compare') return splitFeedName(step.feed as FeedName).component;
  return components.find(({ collections }) => collections.some(({ name }) => name === step.collection))?.name ?? '';
}
