import * as z from 'zod';

/** Of a store or a zone. */
export const idSchema = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'letters, digits, dot, dash and underscore, 1 to 64 characters');
