import * as z from 'zod';
import { keySchema } from '../catalogue/record.ts';
import { OPEN_STATUSES, operationSchema, receiptSchema } from '../operation.ts';
import { COMMAND_KINDS, RUN_KINDS, RUN_STATES, commandSchema, runSchema } from '../runs.ts';
import { COMPONENT_NAMES, EDITIONS } from '../catalogue/types.ts';
import { limits } from '../limits.ts';
import { auditEntrySchema } from './audit.ts';
import { undertakingSchema } from '../undertaking.ts';
import { rolloutRequests, rolloutResponses } from './console-rollout.ts';
import { clockSchema, listedStoreSchema, storeIdentityRequests, storeIdentityResponses, storeSchema } from './console-stores.ts';
import { idSchema } from './id.ts';

/**
 * What central IT can ask of head office. Today the command line sends it by invoking the `console-api` function
 * with its own AWS identity; the console will send the same over HTTP.
 *
 * The invocation's payload is a `ConsoleRequest`. It returns the operation's answer (schemas below), or an
 * `ErrorResponse` (`{error: {code, message, …}, serverTime}`) for operating errors; only a bug ends as a function
 * error. `compact` answers the same way.
 */

/** A part of a list. `after`: the `next` of the part before. */
const listRequest = {
  after: z.string().min(1).max(limits.keyBytesMax).optional(),
  limit: z.int().min(1).max(limits.listMax).default(limits.listMax),
};
/** In whose name, where the door does not know it better: the command line says who runs it. */
const named = { by: z.string().min(1).max(100).optional() };
const reason = z.string().min(3).max(500);
/** null: there is no more. */
const next = z.string().nullable();

export const consoleRequestSchema = z.discriminatedUnion('op', [
  z.strictObject({
    op: z.literal('store.add'),
    storeId: idSchema,
    name: z.string().min(1).max(120).optional(),
    edition: z.enum(EDITIONS).default('core'),
    zone: idSchema.optional(),
    timeZone: z.string().max(64).optional(),
    currency: z
      .string()
      .regex(/^[A-Z]{3}$/)
      .optional(),
    ...named,
  }),
  z.strictObject({
    op: z.literal('store.change'),
    storeId: idSchema,
    /** null: the store belongs to no zone any more. */
    zone: idSchema.nullable().optional(),
    edition: z.enum(EDITIONS).optional(),
    ...named,
  }),
  z.strictObject({
    /** A new one-time code: another machine, or the same one after its key was lost. A store that was decommissioned is taken back with it. */
    op: z.literal('store.code'),
    storeId: idSchema,
    /** The replicas there are, and all that came of them, are retired when it is used. Otherwise they stay as they are. */
    replace: z.boolean().default(false),
    by: z.string().min(1).max(100),
  }),
  ...storeIdentityRequests,
  z.strictObject({ op: z.literal('store.list'), ...listRequest }),
  z.strictObject({ op: z.literal('store.changes'), storeId: idSchema }),
  z.strictObject({
    op: z.literal('records.write'),
    collection: z.string(),
    /** Records as the catalogue names their fields, or keys to delete. Each is judged by itself. */
    puts: z.array(z.record(z.string(), z.unknown())).max(limits.writeBatchMax).default([]),
    deletes: z.array(z.string()).max(limits.writeBatchMax).default([]),
    ...named,
  }),
  z.strictObject({ op: z.literal('records.get'), collection: z.string(), key: keySchema, ...named }),
  z.strictObject({
    op: z.literal('records.lost'),
    collection: z.string(),
    key: keySchema,
    limit: z.int().min(1).max(limits.listMax).default(limits.listMax),
    ...named,
  }),
  z.strictObject({ op: z.literal('records.count'), collection: z.string() }),
  z.strictObject({ op: z.literal('sync.list'), ...listRequest }),
  z.strictObject({ op: z.literal('sync.status'), storeId: idSchema }),
  z
    .strictObject({
      op: z.literal('sync.manual'),
      storeId: idSchema,
      /** The one that was heard of last, if it is not said. */
      replicaId: z.string().max(120).optional(),
      kind: z.enum(COMMAND_KINDS).default('repair'),
      /** None: all. */
      components: z.array(z.enum(COMPONENT_NAMES)).max(COMPONENT_NAMES.length).default([]),
      preview: z.boolean().default(false),
      takeOver: z.boolean().default(false),
      reason: reason.optional(),
      by: z.string().min(1).max(100),
    })
    .superRefine(({ takeOver, preview, reason: why }, context) => {
      if (takeOver && !preview) refuseWithout(why, context, 'what is under way is stopped for it');
    }),
  z.strictObject({ op: z.literal('sync.command'), storeId: idSchema, commandId: z.uuid() }),
  z.strictObject({ op: z.literal('sync.cancel'), storeId: idSchema, reason: reason.optional(), ...named }),
  z.strictObject({
    op: z.literal('audit.list'),
    /** `2026-11`; this month, if it is not said. */
    month: z
      .string()
      .regex(/^\d{4}-\d{2}$/)
      .optional(),
    after: z.uuid().optional(),
    limit: z.int().min(1).max(500).default(100),
    ...named,
  }),
  z.strictObject({ op: z.literal('feeds.list') }),
  z.strictObject({ op: z.literal('quarantine.list'), ...listRequest, ...named }),
  z.strictObject({
    op: z.literal('exceptions.list'),
    status: z.enum(OPEN_STATUSES).optional(),
    storeId: idSchema.optional(),
    after: z.uuid().optional(),
    limit: z.int().min(1).max(500).default(100),
    ...named,
  }),
  z.strictObject({ op: z.literal('exceptions.show'), opId: z.uuid(), ...named }),
  z
    .strictObject({
      op: z.literal('exceptions.replay'),
      opId: z.uuid(),
      /** Values to put in place of the operation's; null takes one away. */
      fields: operationSchema.shape.fields.optional(),
      /** Yes to what waits for somebody's word. */
      approve: z.boolean().default(false),
      reason: reason.optional(),
      by: z.string().min(1).max(100),
    })
    .superRefine(({ fields, approve, reason: why }, context) => {
      if (fields !== undefined || approve) refuseWithout(why, context, 'it is judged otherwise than the store recorded it');
    }),
  z.strictObject({
    op: z.literal('exceptions.discard'),
    opId: z.uuid(),
    reason,
    /** The record of main data that stands in its place. */
    replacedBy: z.strictObject({ collection: z.string(), key: keySchema }).optional(),
    by: z.string().min(1).max(100),
  }),
  z.strictObject({ op: z.literal('erase.begin'), userId: keySchema, reason, ...named }),
  z.strictObject({ op: z.literal('rebuild.begin'), component: z.enum(COMPONENT_NAMES), reason, ...named }),
  /** What was approved, or was begun and interrupted. */
  z.strictObject({ op: z.literal('undertaking.carry-out'), undertakingId: z.uuid(), ...named }),
  z.strictObject({ op: z.literal('undertaking.end'), undertakingId: z.uuid(), ...named }),
  z.strictObject({ op: z.literal('approvals.list'), ...listRequest }),
  z.strictObject({ op: z.literal('approvals.approve'), undertakingId: z.uuid(), ...named }),
  z.strictObject({ op: z.literal('approvals.reject'), undertakingId: z.uuid(), reason, ...named }),
  ...rolloutRequests,
]);

/** What overrides a rule or a store's own word is done for a reason. */
function refuseWithout(why: string | undefined, context: z.RefinementCtx, because: string): void {
  if (why === undefined) context.addIssue({ code: 'custom', path: ['reason'], message: `say why: ${because}` });
}

/** Whether the operation says in whose name it is asked. */
export function isNamed(op: string): boolean {
  const option = consoleRequestSchema.options.find(({ shape }) => shape.op.value === op);
  return option !== undefined && 'by' in option.shape;
}

export type ConsoleRequest = z.input<typeof consoleRequestSchema>;

/** Outcome of one record of `records.write`, in the order of `puts` then `deletes`. */
export const writeOutcomeSchema = z.discriminatedUnion('outcome', [
  z.object({ outcome: z.literal('written'), key: z.string(), rev: z.int() }),
  z.object({ outcome: z.literal('unchanged'), key: z.string(), rev: z.int() }),
  z.object({ outcome: z.literal('rejected'), issues: z.array(z.object({ field: z.string(), reason: z.string() })) }),
]);
export type WriteOutcome = z.infer<typeof writeOutcomeSchema>;

const exceptionSchema = z.object({
  opId: z.string(),
  storeId: z.string(),
  replicaId: z.string(),
  operation: operationSchema,
  receipt: receiptSchema,
  waitsFor: z.string().nullable(),
  against: z.array(z.string()),
  at: z.string(),
});
const freshRecordSchema = z.object({
  runId: z.string(),
  startedAt: z.string(),
  declaredThrough: z.int(),
  completeAt: z.string().nullable(),
  cancelledAt: z.string().nullable(),
  workflowAt: z.string().nullable(),
  checkedAt: z.string().nullable(),
  /** In words, of the last check. */
  missing: z.array(z.string()),
});
const undertakingAnswer = z.object({ undertaking: undertakingSchema });
const commandAnswer = z.object({ command: commandSchema });
const receiptAnswer = z.object({ receipt: receiptSchema });

const zoneAndEdition = storeSchema.pick({ zone: true, edition: true });

/** The answer of each operation, by its name. */
export const consoleResponseSchemas = {
  'exceptions.list': z.object({ exceptions: z.array(exceptionSchema), next: z.string().nullable() }),
  'exceptions.show': z.object({ exception: exceptionSchema, remedy: z.string() }),
  'exceptions.replay': receiptAnswer,
  'exceptions.discard': receiptAnswer,
  'store.add': z.object({ storeId: z.string(), code: z.string(), expiresAt: z.string() }),
  'store.change': z.object({ changed: z.boolean(), store: storeSchema }),
  'store.changes': z.object({ changes: z.array(z.object({ at: z.string(), from: zoneAndEdition, to: zoneAndEdition })) }),
  'store.list': z.object({
    stores: z.array(listedStoreSchema),
    next,
  }),
  ...storeIdentityResponses,
  'store.code': z.object({
    storeId: z.string(),
    code: z.string(),
    expiresAt: z.string(),
    /** Replicas that are active now, and whether they are retired when the code is used. */
    active: z.array(z.string()),
    replaces: z.boolean(),
  }),
  'audit.list': z.object({ entries: z.array(auditEntrySchema), next }),
  'sync.list': z.object({
    stores: z.array(
      z.object({
        storeId: z.string(),
        name: z.string(),
        replicas: z.int(),
        last: z.object({ runId: z.string(), kind: z.enum(RUN_KINDS), state: z.enum(RUN_STATES), updatedAt: z.string() }).nullable(),
        /** By head office's check. */
        freshComplete: z.boolean(),
        isOverdue: z.boolean(),
      }),
    ),
    next,
  }),
  'sync.status': z.object({
    storeId: z.string(),
    replicas: z.array(
      z.object({
        replicaId: z.string(),
        heardAt: z.string().nullable(),
        agentVersion: z.string().nullable(),
        clock: clockSchema,
        expectedBy: z.string(),
        isOverdue: z.boolean(),
        storedThrough: z.int(),
        appliedThrough: z.int(),
        fresh: freshRecordSchema.nullable(),
      }),
    ),
    /** Newest first. */
    runs: z.array(runSchema),
    /** Of the newest; null: not known. */
    percent: z.int().nullable(),
    etaMs: z.int().nullable(),
    commands: z.array(commandSchema),
    manualOffered: z.boolean(),
  }),
  'sync.manual': commandAnswer,
  'sync.command': commandAnswer,
  'sync.cancel': z.object({ storeId: z.string(), cancelled: z.array(z.string()) }),
  'records.write': z.object({ outcomes: z.array(writeOutcomeSchema) }),
  'records.get': z.object({
    record: z
      .object({
        collection: z.string(),
        key: z.string(),
        rev: z.int(),
        deleted: z.boolean(),
        scopes: z.array(z.string()),
        updatedAt: z.string(),
        fields: z.record(z.string(), z.unknown()),
      })
      .nullable(),
  }),
  'records.lost': z.object({
    /** What lost a merge: which value stayed, who said the other one, and when it was judged. */
    values: z.array(
      z.object({
        opId: z.string(),
        field: z.string(),
        lost: z.unknown(),
        kept: z.unknown(),
        from: z.string(),
        at: z.string(),
      }),
    ),
  }),
  'records.count': z.object({ collection: z.string(), count: z.int() }),
  'feeds.list': z.object({
    feeds: z.array(
      z.object({
        feed: z.string(),
        generation: z.string(),
        position: z.int(),
        /** Stream time of the newest change in it. */
        asOf: z.string().nullable(),
        snapshot: z.object({ position: z.int(), rows: z.int(), bytes: z.int(), chunks: z.int(), root: z.string() }).nullable(),
      }),
    ),
  }),
  'erase.begin': undertakingAnswer,
  'rebuild.begin': undertakingAnswer,
  'undertaking.carry-out': undertakingAnswer,
  'undertaking.end': undertakingAnswer,
  'approvals.list': z.object({ undertakings: z.array(undertakingSchema), next }),
  'approvals.approve': undertakingAnswer,
  'approvals.reject': undertakingAnswer,
  ...rolloutResponses,
  'quarantine.list': z.object({
    entries: z.array(z.object({ id: z.string(), reason: z.string(), at: z.string(), source: z.string(), item: z.unknown() })),
    next,
  }),
} as const;
