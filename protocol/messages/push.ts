import * as z from 'zod';
import { limits } from '../limits.ts';
import { operationSchema, outboxMarkSchema, receiptSchema } from '../operation.ts';

/**
 * `POST /v1/push`: operations in, receipts out. What is answered to is stored for good; applying follows. Sending the
 * same again is always right, and the way to ask for receipts is to send none.
 *
 * Errors: `OUTBOX_GAP` (head office has less than the replica thinks: `details.storedThrough`), `REPLICA_FORKED` (the
 * outbox has another past than the one head office knows: the database was restored or copied).
 */
export const pushRequestSchema = z.strictObject({
  protocol: z.int(),
  agentVersion: z.string().max(40),
  /** The entry before the first one sent. */
  after: outboxMarkSchema,
  operations: z.array(operationSchema).max(limits.pushOperationsMax),
  /** Receipts after this `seq` are wanted. */
  receiptsAfter: z.int().min(0),
});
export type PushRequest = z.infer<typeof pushRequestSchema>;

export const pushResponseSchema = z.object({
  serverTime: z.string(),
  storedThrough: z.int().min(0),
  appliedThrough: z.int().min(0),
  /** By `seq`, without gaps from `receiptsAfter` + 1; may be fewer than there are. */
  receipts: z.array(receiptSchema),
  /** Receipts that changed after they were given: a person or the record they waited for closed the exception. */
  revised: z.array(receiptSchema),
});
export type PushResponse = z.infer<typeof pushResponseSchema>;

/** `POST /v1/fork`: a replica with two pasts becomes a new replica of the same store, with a new key. */
export const forkRequestSchema = z.strictObject({
  protocol: z.int(),
  publicKey: z.strictObject({
    kty: z.literal('EC'),
    crv: z.literal('P-256'),
    x: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
    y: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
  }),
  agentVersion: z.string().max(40),
});
export type ForkRequest = z.infer<typeof forkRequestSchema>;

export const forkResponseSchema = z.object({ storeId: z.string(), replicaId: z.string(), serverTime: z.string() });
export type ForkResponse = z.infer<typeof forkResponseSchema>;
