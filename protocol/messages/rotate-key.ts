import * as z from 'zod';
import { publicKeySchema } from './public-key.ts';

/**
 * `POST /v1/rotate-key`: a replica says which key it will sign with from now on. Signed by the key it has; or by the new one, if
 * the answer was lost and head office knows it already.
 */
export const rotateKeyRequestSchema = z.strictObject({
  protocol: z.int(),
  agentVersion: z.string().max(40),
  publicKey: publicKeySchema,
});
export type RotateKeyRequest = z.infer<typeof rotateKeyRequestSchema>;

export const rotateKeyResponseSchema = z.object({ replicaId: z.string(), serverTime: z.string() });
export type RotateKeyResponse = z.infer<typeof rotateKeyResponseSchema>;
