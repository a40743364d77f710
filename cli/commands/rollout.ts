import type { Command } from 'commander';
import type * as z from 'zod';
import type { consoleResponseSchemas } from '../../protocol/messages/console.ts';
import { MEASURES, type Rollout } from '../../protocol/rollout.ts';
import type { StoreSettings } from '../../protocol/store-settings.ts';
import { type OfficeOptions, withOfficeOptions } from '../office-options.ts';
import { print, table } from '../output.ts';
import { withStack } from '../stack.ts';

/** Changed store settings on their way over canary stores to all. */
interface Options extends OfficeOptions {
  readonly json?: boolean;
}

type Status = z.infer<(typeof consoleResponseSchemas)['rollout.status']>;

const ACTS = [
  ['stop', 'give canary stores back what is in force, until other settings are deployed or it is resumed'],
  ['resume', 'try again what was stopped: canary stores get it, and its time begins anew'],
  ['finish', 'give it to every store at once, whatever canary stores say'],
] as const;

export function addRolloutCommand(program: Command): void {
  const rollout = program.command('rollout').description('changed store settings, which go to canary stores first');
  withOfficeOptions(rollout.command('status'))
    .description('what is in force, what is on trial, how canary stores do with it and what it waits for')
    .option('--json', 'as JSON')
    .action(async (options: Options) => {
      const status = await withStack(options, ({ office }) => office.call<'rollout.status'>({ op: 'rollout.status' }));
      print({ json: options.json === true }, status, () => describeStatus(status));
    });
  for (const [act, description] of ACTS)
    withOfficeOptions(rollout.command(act))
      .description(description)
      .requiredOption('--reason <text>', 'why; it stands in the audit')
      .option('--json', 'as JSON')
      .action(async (options: Options & { readonly reason: string }) => {
        const request = { op: `rollout.${act}` as const, reason: options.reason };
        const { rollout: after } = await withStack(options, ({ office }) => office.call<typeof request.op>(request));
        print({ json: options.json === true }, after, () => describeRollout(after));
      });
}

function describeStatus({ deployed, isNew, rollout, stores, waitsFor }: Status): string {
  if (rollout === null) return `Every store has what is deployed: ${describeSettings(deployed)}`;
  const lines = [describeRollout(rollout)];
  if (isNew) lines.push(`Deployed and not looked at yet, which takes minutes: ${describeSettings(deployed)}`);
  if (stores.length > 0)
    lines.push(
      table(
        ['canary store', 'standing', 'failed runs', 'issues', 'differences'],
        stores.map(({ storeId, standing, before, now }) => [
          storeId,
          standing,
          ...MEASURES.map((one) => `${now[one]} (before: ${before[one]})`),
        ]),
      ),
    );
  for (const what of waitsFor) lines.push(`It waits for ${what}.`);
  return lines.join('\n');
}

function describeRollout(rollout: Rollout): string {
  if (rollout.state === 'EVERYWHERE') return `EVERYWHERE since ${rollout.since}: ${describeSettings(rollout.inForce)}`;
  const { inForce, candidate, canary, startedAt } = rollout;
  const lines = [`in force:  ${describeSettings(inForce)}`, `candidate: ${describeSettings(candidate)}`];
  if (rollout.state === 'CANARY')
    return [`CANARY since ${startedAt}, for ${canary.hours} h, at ${canary.stores.join(', ')}`, ...lines].join('\n');
  const { stoppedAt, stoppedBy, reason } = rollout;
  return [`STOPPED at ${stoppedAt} by ${stoppedBy ?? 'itself'}: ${reason}`, ...lines].join('\n');
}

function describeSettings({ offlineRedemption: { points, coupons }, syncMinutes, agentVersion }: StoreSettings): string {
  const offline = `offline ${points.perCustomer}/${points.perStore} points, ${coupons.perCustomer}/${coupons.perStore} coupons`;
  return `sync every ${syncMinutes} min; ${offline}; agent ${agentVersion ?? 'any'}`;
}
