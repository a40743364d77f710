import * as z from 'zod';
import { type ErrorCodeName, errorCodes } from '../error-codes.ts';

/** The body of every answer that is not a success. */
export const errorResponseSchema = z.object({
  error: z.object({
    code: z.custom<ErrorCodeName>((value) => typeof value === 'string' && value in errorCodes),
    message: z.string(),
    remedy: z.string(),
    retryAfterMs: z.int().optional(),
    details: z.record(z.string(), z.unknown()).optional(),
  }),
  serverTime: z.string(),
});
export type ErrorResponse = z.infer<typeof errorResponseSchema>;
