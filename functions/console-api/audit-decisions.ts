import type { consoleRequestSchema } from '../../protocol/messages/console.ts';
import type * as z from 'zod';
import type { ConsoleOp } from './console-op.ts';

/**
 * What of each operation of the console stands in the audit (INV-49): an operation without its line does not compile, and neither
 * does one that destroys something and may be asked for without a reason. What is shown is named, one by one: whatever else a request
 * has, and above all values of records, stays out, because whose they are may be erased and the audit is not.
 */
type Request = z.output<typeof consoleRequestSchema>;

export interface Shown {
  /** Store, operation, collection or component. */
  readonly target: string | null;
  readonly request: Readonly<Record<string, unknown>>;
}

type Shows<Op extends Request['op']> = (request: ConsoleOp<Op>) => Shown;

export type Decision<Op extends Request['op']> =
  /** It changes nothing and is about nobody. */
  | { readonly kind: 'not-audited' }
  /** `looks`: into what is about people. */
  | { readonly kind: 'looks' | 'changes'; readonly shows: Shows<Op> }
  | { readonly kind: 'destroys'; readonly shows: Shows<Op>; readonly why: (request: ConsoleOp<Op>) => string };

const notAudited = { kind: 'not-audited' } as const;
const ANYWAY = new Set(['op', 'by', 'reason']);
/** All of it but what the entry says anyway. */
const whole = (target: string | null, request: Request): Shown => ({
  target,
  request: Object.fromEntries(Object.entries(request).filter(([name]) => !ANYWAY.has(name))),
});

export const auditDecisions: { readonly [Op in Request['op']]: Decision<Op> } = {
  'store.add': { kind: 'changes', shows: (request) => whole(request.storeId, request) },
  'store.change': { kind: 'changes', shows: (request) => whole(request.storeId, request) },
  'store.code': { kind: 'changes', shows: (request) => whole(request.storeId, request) },
  'store.revoke': { kind: 'destroys', shows: (request) => whole(request.storeId, request), why: ({ reason }) => reason },
  'store.decommission': { kind: 'destroys', shows: (request) => whole(request.storeId, request), why: ({ reason }) => reason },
  'store.rotate-key': { kind: 'changes', shows: (request) => whole(request.storeId, request) },
  'store.list': notAudited,
  'store.show': notAudited,
  'store.changes': notAudited,
  'records.write': {
    kind: 'changes',
    shows: ({ collection, puts, deletes }) => ({
      target: collection,
      request: { collection, puts: puts.length, deletes: deletes.length },
    }),
  },
  'records.get': { kind: 'looks', shows: ofCollection },
  'records.lost': { kind: 'looks', shows: ofCollection },
  'records.count': notAudited,
  'sync.list': notAudited,
  'sync.status': notAudited,
  'sync.manual': { kind: 'changes', shows: (request) => whole(request.storeId, request) },
  'sync.command': notAudited,
  'sync.cancel': { kind: 'changes', shows: (request) => whole(request.storeId, request) },
  'feeds.list': notAudited,
  'quarantine.list': { kind: 'looks', shows: (request) => whole(null, request) },
  'exceptions.list': { kind: 'looks', shows: (request) => whole(request.storeId ?? null, request) },
  'exceptions.show': { kind: 'looks', shows: (request) => whole(request.opId, request) },
  'exceptions.replay': {
    kind: 'changes',
    shows: ({ opId, fields, approve }) => ({ target: opId, request: { fields: Object.keys(fields ?? {}), approve } }),
  },
  'exceptions.discard': {
    kind: 'destroys',
    shows: ({ opId, replacedBy }) => ({ target: opId, request: { replacedBy: replacedBy?.collection ?? null } }),
    why: ({ reason }) => reason,
  },
  // Whose erasure it is stands nowhere; its undertaking has a digest.
  'erase.begin': { kind: 'destroys', shows: () => ({ target: null, request: {} }), why: ({ reason }) => reason },
  'rebuild.begin': { kind: 'destroys', shows: (request) => whole(request.component, request), why: ({ reason }) => reason },
  'undertaking.carry-out': { kind: 'changes', shows: ofUndertaking },
  'undertaking.end': { kind: 'changes', shows: ofUndertaking },
  'approvals.list': notAudited,
  'approvals.approve': { kind: 'changes', shows: ofUndertaking },
  'approvals.reject': { kind: 'changes', shows: ofUndertaking },
  'rollout.status': notAudited,
  'rollout.stop': { kind: 'changes', shows: () => ({ target: 'rollout', request: {} }) },
  'rollout.resume': { kind: 'changes', shows: () => ({ target: 'rollout', request: {} }) },
  'rollout.finish': { kind: 'destroys', shows: () => ({ target: 'rollout', request: {} }), why: ({ reason }) => reason },
  'audit.list': { kind: 'looks', shows: (request) => whole(null, request) },
};

function ofCollection({ collection }: { readonly collection: string }): Shown {
  return { target: collection, request: { collection } };
}

function ofUndertaking({ undertakingId }: { readonly undertakingId: string }): Shown {
  return { target: undertakingId, request: {} };
}

/** The table's line of this request; that the two belong together is what the table's type says. */
export function decisionOf(request: Request): Decision<Request['op']> {
  return auditDecisions[request.op] as Decision<Request['op']>;
}
