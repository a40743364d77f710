import type { Actor } from '../../core/ports/audit-log.ts';
import { consoleRequestSchema, isNamed } from '../../protocol/messages/console.ts';
import { SyncError } from '../../protocol/sync-error.ts';
import { type ConsoleDeps, consoleApi } from '../console-api/console-api.ts';
import { describeIssues } from '../http/http-function.ts';

/** A person asks: the same operations as the command line has, in that person's name whatever the request says. */
export async function consoleFor(deps: ConsoleDeps, person: Actor, asked: unknown): Promise<object> {
  const parsed = consoleRequestSchema.safeParse(inNameOf(person, asked));
  if (!parsed.success) throw new SyncError('INVALID_INPUT', describeIssues(parsed.error));
  return consoleApi(deps, person, parsed.data);
}

function inNameOf({ name }: Actor, asked: unknown): unknown {
  if (typeof asked !== 'object' || asked === null || Array.isArray(asked)) return asked;
  const { by: _, ...rest } = asked as Record<string, unknown>;
  return isNamed(String(rest['op'])) ? { ...rest, by: name } : asked;
}
