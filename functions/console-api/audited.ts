import type { Clock, Ids } from '../../core/ports/clock.ts';
import type { Actor, AuditLog } from '../../core/ports/audit-log.ts';
import { consoleRules, isAllowed } from '../../protocol/console-roles.ts';
import type { consoleRequestSchema } from '../../protocol/messages/console.ts';
import { SyncError, isSyncError } from '../../protocol/sync-error.ts';
import type * as z from 'zod';

/**
 * The only way to the console's operations: whoever may not is refused and that is written down, whatever changes
 * something or shows what is about people stands in the audit before it is done, and what came of it after (INV-49).
 */
type Request = z.output<typeof consoleRequestSchema>;

interface Asked {
  readonly actor: Actor;
  readonly request: Request;
}

export interface AuditedDeps {
  readonly audit: Pick<AuditLog, 'begin' | 'end'>;
  readonly clock: Clock;
  readonly ids: Ids;
}

export async function audited<T>(deps: AuditedDeps, { actor, request }: Asked, run: () => Promise<T>): Promise<T> {
  const isRefused = !isAllowed(actor.role, request.op);
  if (!isRefused && !consoleRules[request.op].isAudited) return run();
  const auditId = deps.ids.next();
  await deps.audit.begin({
    auditId,
    at: new Date(deps.clock.now()).toISOString(),
    who: actor.name,
    role: actor.role,
    via: actor.via,
    op: request.op,
    target: targetOf(request),
    reason: 'reason' in request ? (request.reason ?? null) : null,
    request: withoutPeople(request),
  });
  if (isRefused) {
    await deps.audit.end(auditId, 'FORBIDDEN');
    throw new SyncError('FORBIDDEN', `${request.op} needs the role ${consoleRules[request.op].role}; ${actor.name} has ${actor.role}`);
  }
  try {
    const answer = await run();
    await deps.audit.end(auditId, 'DONE');
    return answer;
  } catch (error) {
    await deps.audit.end(auditId, isSyncError(error) ? error.code : 'INTERNAL');
    throw error;
  }
}

function targetOf(request: Request): string | null {
  if ('storeId' in request) return request.storeId ?? null;
  if ('opId' in request) return request.opId;
  return 'collection' in request ? request.collection : null;
}

/** Values of records stay out of it: whose they are may be erased, and the audit is not. */
function withoutPeople(request: Request): Record<string, unknown> {
  if (request.op === 'records.write') return { collection: request.collection, puts: request.puts.length, deletes: request.deletes.length };
  if (request.op === 'records.get' || request.op === 'records.lost') return { collection: request.collection };
  if (request.op === 'exceptions.replay') return { opId: request.opId, fields: Object.keys(request.fields ?? {}) };
  return Object.fromEntries(Object.entries(request).filter(([name]) => name !== 'op'));
}
