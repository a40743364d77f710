import * as z from 'zod';
import { publicKeySchema } from './public-key.ts';

/** `POST /v1/enrol`: a new replica shows the one-time code and its public key; the private key never leaves the store. */
export const enrolRequestSchema = z.strictObject({
  protocol: z.int(),
  code: z.string().min(8).max(64),
  publicKey: publicKeySchema,
  agentVersion: z.string().max(40),
});
export type EnrolRequest = z.infer<typeof enrolRequestSchema>;

export const enrolResponseSchema = z.object({
  organization: z.string(),
  storeId: z.string(),
  replicaId: z.string(),
  serverTime: z.string(),
});
export type EnrolResponse = z.infer<typeof enrolResponseSchema>;
