import { CORRELATION_HEADER, correlationSchema } from '../../protocol/correlation.ts';

/** What the agent calls this request and the sync it is part of; undefined: it says nothing that could be an id. */
export function correlationOf(headers: Readonly<Record<string, string | undefined>>): string | undefined {
  return correlationSchema.safeParse(headers[CORRELATION_HEADER]).data;
}
