import * as z from 'zod';
import { limits } from '../limits.ts';
import { operationSchema, outboxMarkSchema, receiptSchema } from '../operation.ts';
import { publicKeySchema } from './public-key.ts';

/**
 * Operations as an object beside the request (decision 0015): packed lines, one operation each, from the one after
 * `after` up to `through`. Head office answers with an address to put it to until it has it; from then on with what is
 * stored. The same request is therefore right before the object was put, after it, and when nobody knows.
 */
export const uploadObjectSchema = z.strictObject({
  through: outboxMarkSchema,
  /** Packed. */
  bytes: z.int().min(1).max(limits.uploadBytesMax),
  /** Of the packed bytes. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});
export type UploadObject = z.infer<typeof uploadObjectSchema>;

/**
 * `POST /v1/push`: operations in, receipts out. What is answered to is stored for good; applying follows. Sending the
 * same again is always right, and the way to ask for receipts is to send none.
 *
 * Errors: `OUTBOX_GAP` (head office has less than the replica thinks: `details.storedThrough`), `REPLICA_FORKED` (the
 * outbox has another past than the one head office knows: the database was restored or copied).
 */
export const pushRequestSchema = z
  .strictObject({
    protocol: z.int(),
    agentVersion: z.string().max(40),
    /** The entry before the first one sent. */
    after: outboxMarkSchema,
    operations: z.array(operationSchema).max(limits.pushOperationsMax),
    /** Instead of operations. A head office of before says `INVALID_INPUT`, and they go up in batches. */
    object: uploadObjectSchema.optional(),
    /** Receipts after this `seq` are wanted. */
    receiptsAfter: z.int().min(0),
    /** Revisions after this one are wanted. Since version 2. */
    revisedAfter: z.int().min(0).optional(),
  })
  .refine(({ operations, object }) => object === undefined || operations.length === 0, 'an object comes instead of operations')
  .refine(
    ({ after, object }) => object === undefined || isBetween(object.through.seq - after.seq, 1, limits.uploadOperationsMax),
    `an object holds 1 to ${limits.uploadOperationsMax} operations`,
  );
export type PushRequest = z.infer<typeof pushRequestSchema>;

function isBetween(value: number, min: number, max: number): boolean {
  return value >= min && value <= max;
}

/** Where the object is put, as it is, with exactly these headers. Good for a few minutes; a secret until then. */
export const putAddressSchema = z.object({ url: z.url(), headers: z.record(z.string(), z.string()) });
export type PutAddress = z.infer<typeof putAddressSchema>;

export const pushResponseSchema = z.object({
  serverTime: z.string(),
  storedThrough: z.int().min(0),
  appliedThrough: z.int().min(0),
  /** By `seq`, without gaps from `receiptsAfter` + 1; may be fewer than there are. */
  receipts: z.array(receiptSchema),
  /** Receipts that changed after they were given: a person or the record they waited for closed the exception. */
  revised: z.array(receiptSchema),
  /** The number of the last one of `revised`, or what was asked after. Since version 2. */
  revisedThrough: z.int().min(0).optional(),
  /** The object is not there: put it, and send the request again. */
  put: putAddressSchema.optional(),
  /** An object that was stored is lost: the operations after the one up to the other are wanted again, as an object. */
  wanted: z.object({ after: z.int().min(0), through: z.int().min(1) }).optional(),
});
export type PushResponse = z.infer<typeof pushResponseSchema>;

/** `POST /v1/fork`: a replica with two pasts becomes a new replica of the same store, with a new key. */
export const forkRequestSchema = z.strictObject({
  protocol: z.int(),
  publicKey: publicKeySchema,
  agentVersion: z.string().max(40),
});
export type ForkRequest = z.infer<typeof forkRequestSchema>;

export const forkResponseSchema = z.object({ storeId: z.string(), replicaId: z.string(), serverTime: z.string() });
export type ForkResponse = z.infer<typeof forkResponseSchema>;
