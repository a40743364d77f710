import * as z from 'zod';

/** `compact` function by hand: these feeds, or all. */
export const compactRequestSchema = z.object({ feeds: z.array(z.string()).optional() });
export const compactResponseSchema = z.object({
  feeds: z.array(
    z.object({
      feed: z.string(),
      from: z.int(),
      position: z.int(),
      changes: z.int(),
      rows: z.int(),
      chunks: z.int(),
      chunksWritten: z.int(),
      bytesWritten: z.int(),
      root: z.string(),
    }),
  ),
});
export type CompactResponse = z.infer<typeof compactResponseSchema>;
