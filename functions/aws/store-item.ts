import * as z from 'zod';
import { REPLICA_STATUSES } from '../../core/ports/store-registry.ts';
import { EDITIONS } from '../../protocol/catalogue/types.ts';
import { toldSettingsSchema } from '../../protocol/rollout.ts';

/** Stores, replicas and codes as items of the stores table, and their keys. */
export const storeSchema = z.object({
  storeId: z.string(),
  name: z.string(),
  edition: z.enum(EDITIONS),
  zone: z.string().nullable(),
  timeZone: z.string(),
  currency: z.string(),
  createdAt: z.string(),
  closed: z.object({ at: z.string(), reason: z.string() }).optional(),
});
const zoneAndEdition = storeSchema.pick({ zone: true, edition: true });
export const changeSchema = z.object({ at: z.string(), from: zoneAndEdition, to: zoneAndEdition });
const publicKeySchema = z.object({ kty: z.literal('EC'), crv: z.literal('P-256'), x: z.string(), y: z.string() });
export const replicaSchema = z.object({
  replicaId: z.string(),
  storeId: z.string(),
  publicKey: publicKeySchema,
  status: z.enum(REPLICA_STATUSES),
  enrolledAt: z.string(),
  forkedFrom: z.string().optional(),
  heardAt: z.string().optional(),
  agentVersion: z.string().optional(),
  skewMs: z.number().optional(),
  keySince: z.string().optional(),
  nextKey: z.object({ publicKey: publicKeySchema, since: z.string() }).optional(),
  newKeyAskedAt: z.string().optional(),
  told: toldSettingsSchema.optional(),
});
/** `usedBy`: the replica the code was used for; `replaced`: whose place it took. */
export const codeSchema = z.object({
  storeId: z.string(),
  issuedAt: z.number().default(0),
  expiresAt: z.number(),
  replaces: z.boolean().default(false),
  usedBy: z.string().optional(),
  replaced: z.array(z.string()).default([]),
});
export function storeKey(storeId: string): string {
  return `store#${storeId}`;
}

export function replicaRow(replicaId: string): { pk: string; sk: string } {
  return { pk: storeKey(storeIdOf(replicaId)), sk: replicaKey(uuidOf(replicaId)) };
}

/** Part of a transaction that is good only as long as the replica is trusted (INV-25). */
export function whileTrusted(table: string, replicaId: string) {
  return {
    TableName: table,
    Key: replicaRow(replicaId),
    ConditionExpression: '#status IN (:active, :retired)',
    ExpressionAttributeNames: { '#status': 'status' },
    ExpressionAttributeValues: { ':active': 'ACTIVE', ':retired': 'RETIRED' },
  };
}

export function replicaKey(uuid: string): string {
  return `replica#${uuid}`;
}

export function certificatePrefix(replicaId: string): string {
  return `certificate#${uuidOf(replicaId)}#`;
}

/** Empty when it is no replica id. */
export function storeIdOf(replicaId: string): string {
  return replicaId.slice(0, Math.max(0, replicaId.lastIndexOf(':')));
}

export function uuidOf(replicaId: string): string {
  return replicaId.slice(replicaId.lastIndexOf(':') + 1);
}

export function codeKey(sha256: string): string {
  return `code#${sha256}`;
}
