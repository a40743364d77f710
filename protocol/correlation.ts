import * as z from 'zod';

/**
 * What a sync, or a request outside of one, is called in the logs of both sides: the run's id where there is a run. Not covered by
 * the signature, because nothing but log lines depends on it; whatever is no id of ours is left out of them.
 */
export const CORRELATION_HEADER = 'x-correlation-id';
export const correlationSchema = z.uuid();
