import { userInfo } from 'node:os';
import type { Command } from 'commander';
import type * as z from 'zod';
import type { consoleResponseSchemas } from '../../protocol/messages/console.ts';
import type { Waiting } from '../../protocol/messages/console-stores.ts';
import { idSchema } from '../../protocol/messages/id.ts';
import { SyncError } from '../../protocol/sync-error.ts';
import { type OfficeOptions, withOfficeOptions } from '../office-options.ts';
import { print } from '../output.ts';
import { withStack } from '../stack.ts';

/** Who may speak for a store: codes, keys, and the end of replicas and stores. */
export function addIdentityCommands(store: Command): void {
  withOfficeOptions(store.command('code <id>'))
    .description('a new one-time code for a store that is there: another machine, one whose key was lost, or a store that comes back')
    .option('--replace', "it takes the place of the store's replicas: they are refused from when the code is used")
    .option('--json', 'as JSON')
    .action(async (storeId: string, options: OfficeOptions & { replace?: boolean; json?: boolean }) => {
      checkId('the store id', storeId);
      const request = { op: 'store.code' as const, storeId, replace: options.replace === true, by: userInfo().username };
      const answer = await withStack(options, ({ office }) => office.call<'store.code'>(request));
      print({ json: options.json === true }, answer, () => codeText(`Store ${storeId}.${replacedText(answer)}`, answer));
    });
  withOfficeOptions(store.command('decommission <id>'))
    .description('a store closes: its replicas are refused and its codes void; what it sent is applied, and a new code takes it back')
    .requiredOption('--reason <text>', 'why; it stands in the audit')
    .option('--force', 'although operations of it wait: they are kept, and done with when it is their turn')
    .option('--json', 'as JSON')
    .action(decommissionStore);
  withOfficeOptions(store.command('revoke <id>'))
    .description('refuse a machine that nobody trusts any more, for good: nothing of it is applied from now on')
    .option('--replica <id>', 'this replica and what came of its disk; otherwise all of the store')
    .requiredOption('--reason <text>', 'why; it stands in the audit')
    .option('--only', 'of --replica: what came of its disk stays as it is')
    .option('--force', 'although operations of it wait, which are never applied then, or a copy goes with it')
    .option('--json', 'as JSON')
    .action(revokeStore);
  withOfficeOptions(store.command('rotate-key <id>'))
    .description('its agents make themselves another key at their next sync; without it they do so every 90 days')
    .option('--replica <id>', 'only this replica of it; otherwise all')
    .option('--json', 'as JSON')
    .action(rotateKey);
}

export function codeText(what: string, { code, expiresAt }: { readonly code: string; readonly expiresAt: string }): string {
  return `${what} One-time code for its agent, good until ${expiresAt}:\n\n  ${code}\n\nIt is shown only once.`;
}

function replacedText({ active, replaces }: z.infer<(typeof consoleResponseSchemas)['store.code']>): string {
  if (active.length === 0) return '';
  const names = active.join(', ');
  return replaces
    ? ` Refused from when it is used: ${names}; what they sent is applied.`
    : ` It adds a machine beside ${names}; with --replace it takes their place.`;
}

function waitingLines({ replicas, exceptions }: Waiting, what: string): string[] {
  return [
    ...replicas.map(({ replicaId, operations }) => `${what}: ${operations} operations of ${replicaId}`),
    ...exceptions.map(({ opId, status, collection }) => `Kept, for somebody to decide: ${collection} ${opId} ${status}`),
  ];
}

interface DecommissionOptions extends OfficeOptions {
  readonly reason: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

async function decommissionStore(storeId: string, { reason, force = false, json, ...where }: DecommissionOptions): Promise<void> {
  checkId('the store id', storeId);
  const request = { op: 'store.decommission' as const, storeId, reason, force, by: userInfo().username };
  const answer = await withStack(where, ({ office }) => office.call<'store.decommission'>(request));
  print({ json: json === true }, answer, () =>
    [
      ...waitingLines(answer.waiting, 'Kept, and applied when it is their turn'),
      `Store ${storeId} is closed. Refused from now on: ${answer.retired.join(', ') || 'nothing, it had no active replica'}.`,
      `\`storeline store code ${storeId}\` takes it back.`,
    ].join('\n'),
  );
}

interface RevokeOptions extends OfficeOptions {
  readonly replica?: string;
  readonly only?: boolean;
  readonly force?: boolean;
  readonly reason: string;
  readonly json?: boolean;
}

async function revokeStore(
  storeId: string,
  { replica, reason, only = false, force = false, json, ...where }: RevokeOptions,
): Promise<void> {
  checkId('the store id', storeId);
  const request = {
    op: 'store.revoke' as const,
    storeId,
    reason,
    only,
    force,
    by: userInfo().username,
    ...(replica === undefined ? {} : { replicaId: replica }),
  };
  const answer = await withStack(where, ({ office }) => office.call<'store.revoke'>(request));
  print({ json: json === true }, answer, () =>
    answer.revoked.length === 0
      ? `Store ${storeId} has no replica.`
      : [
          ...waitingLines(answer.waiting, 'Kept, and never applied'),
          `Revoked: ${answer.revoked.join(', ')}. What they had sent stays. \`storeline store code ${storeId}\` lets the store enrol again.`,
        ].join('\n'),
  );
}

async function rotateKey(storeId: string, { replica, json, ...where }: Omit<RevokeOptions, 'reason' | 'only' | 'force'>): Promise<void> {
  checkId('the store id', storeId);
  const request = {
    op: 'store.rotate-key' as const,
    storeId,
    by: userInfo().username,
    ...(replica === undefined ? {} : { replicaId: replica }),
  };
  const answer = await withStack(where, ({ office }) => office.call<'store.rotate-key'>(request));
  print({ json: json === true }, answer, () => `Asked: ${answer.asked.join(', ')}. The old key is good until the new one is used.`);
}

export function checkId(what: string, value: string | undefined): void {
  const parsed = idSchema.optional().safeParse(value);
  if (!parsed.success) throw new SyncError('INVALID_INPUT', `${what}: ${parsed.error.issues[0]?.message ?? 'is not valid'}`);
}
