import { v7 } from 'uuid';
import type { Clock, Ids } from '../core/ports/clock.ts';
import { assert } from '../protocol/assert.ts';
import { type Organization, organizationSchema } from '../protocol/organization.ts';

/** The function's environment, checked once at cold start, and the real clock and ids. */
type Variable =
  | 'RECORDS_TABLE'
  | 'FEEDS_TABLE'
  | 'STORES_TABLE'
  | 'AUDIT_TABLE'
  | 'SNAPSHOTS_BUCKET'
  | 'COMPACTION_QUEUE_URL'
  | 'UPLOADS_TABLE'
  | 'UPLOADS_BUCKET'
  | 'DOORBELL_QUEUE_URL'
  | 'RESCOPE_QUEUE_URL'
  | 'FRESH_WORKFLOW_ARN'
  | 'OIDC_ISSUER'
  | 'OIDC_AUDIENCE'
  | 'ORGANIZATION';

export function environment<Name extends Variable>(...names: Name[]): Record<Name, string> {
  const values = names.map((name): [Name, string] => {
    const value = process.env[name] ?? '';
    assert(value !== '', `the environment variable ${name} is not set`);
    return [name, value];
  });
  return Object.fromEntries(values) as Record<Name, string>;
}

export function organization(): Organization {
  return organizationSchema.parse(JSON.parse(environment('ORGANIZATION').ORGANIZATION));
}

/** An hour of what goes by hours, such as a rollout; one machine may shorten it (`--hour`). */
export function hourMs(): number {
  return Number(process.env['HOUR_MS'] ?? 3_600_000);
}

export const systemClock: Clock = { now: () => Date.now() };
export const systemIds: Ids = { next: () => v7() };
