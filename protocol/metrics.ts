/**
 * What head office counts itself, because nothing of AWS counts it: one line of a log is made a metric by CloudWatch, without a call
 * that could fail or be waited for. Each is on the dashboard or has an alarm, and a test holds that. No name of a store or of
 * anybody is a dimension: each value of one would be a metric that costs money for ever.
 */
export const COUNTS = {
  'console-refused': 'Asked of the console without a valid token or the role for it',
  'uploads-lost': 'Objects of operations that were gone before they were applied, and asked for again',
  'operations-applied': 'Operations of stores that were applied',
  'loads-deferred': 'First loads that were told to wait for a slot',
  'redemptions-declined': 'Redemptions that were declined while a customer waited',
} as const;

export type CountName = keyof typeof COUNTS;

/** The value of the one dimension, `service`. */
export const COUNT_SERVICE = 'head-office';

export function metricNamespace(organization: string): string {
  return `Storeline/${organization}`;
}
