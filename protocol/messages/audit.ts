import * as z from 'zod';
import { ROLES } from '../role.ts';

/** What was changed: counts, states, ids, and hashes of revisions. Never values of records, nor hashes of them, which can be guessed. */
const auditStateSchema = z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null(), z.array(z.string())])).nullable();
export const auditChangeSchema = z.object({ before: auditStateSchema, after: auditStateSchema });
export type AuditChange = z.infer<typeof auditChangeSchema>;

/** One thing that was asked of the console. Values of records are not in it. */
export const auditEntrySchema = z.object({
  auditId: z.uuid(),
  at: z.string(),
  who: z.string(),
  role: z.enum(ROLES),
  via: z.enum(['OIDC', 'IAM']),
  op: z.string(),
  /** Store, operation or collection. */
  target: z.string().nullable(),
  reason: z.string().nullable(),
  request: z.record(z.string(), z.unknown()),
  /** `DONE` or the code of an error; null: it was cut off, and may have been done. */
  outcome: z.string().nullable(),
  /** Of what was done and changed something. */
  change: auditChangeSchema.nullable(),
});
export type AuditEntry = Readonly<z.infer<typeof auditEntrySchema>>;
