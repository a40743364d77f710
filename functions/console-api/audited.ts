import type { Clock, Ids } from '../../core/ports/clock.ts';
import type { Actor, AuditLog } from '../../core/ports/audit-log.ts';
import { assert } from '../../protocol/assert.ts';
import { isAllowed, leastRoles } from '../../protocol/console-roles.ts';
import type { consoleRequestSchema } from '../../protocol/messages/console.ts';
import { SyncError, isSyncError } from '../../protocol/sync-error.ts';
import type * as z from 'zod';
import { decisionOf } from './audit-decisions.ts';
import type { Done } from './done.ts';

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

export async function audited(deps: AuditedDeps, { actor, request }: Asked, run: () => Promise<Done>): Promise<object> {
  const decision = decisionOf(request);
  const isRefused = !isAllowed(actor.role, request.op);
  if (!isRefused && decision.kind === 'not-audited') return (await run()).answer;
  const auditId = deps.ids.next();
  await deps.audit.begin({
    auditId,
    at: new Date(deps.clock.now()).toISOString(),
    who: actor.name,
    role: actor.role,
    via: actor.via,
    op: request.op,
    reason: decision.kind === 'destroys' ? decision.why(request) : 'reason' in request ? (request.reason ?? null) : null,
    ...(decision.kind === 'not-audited' ? { target: null, request: {} } : decision.shows(request)),
  });
  if (isRefused) {
    await deps.audit.end(auditId, { outcome: 'FORBIDDEN', change: null });
    throw new SyncError('FORBIDDEN', `${request.op} needs the role ${leastRoles[request.op]}; ${actor.name} has ${actor.role}`);
  }
  try {
    const { answer, change } = await run();
    assert((change === null) === (decision.kind === 'looks'), `INV-49: ${request.op} says what it changed, and only if it does`);
    await deps.audit.end(auditId, { outcome: 'DONE', change });
    return answer;
  } catch (error) {
    await deps.audit.end(auditId, { outcome: isSyncError(error) ? error.code : 'INTERNAL', change: null });
    throw error;
  }
}
