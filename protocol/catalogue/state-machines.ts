/**
 * Fields whose values follow each other in one order. A store that was offline may skip steps, so what counts is
 * whether a state can be reached. What is not listed cannot be left by a store; only a manager at head office may.
 */
type Transitions = Readonly<Record<string, readonly string[]>>;

const machines: Readonly<Record<string, Transitions>> = {
  'customer.loyalty_type': { NON_LOYALTY: ['LOYALTY'] },
  'task.status': { NONE: ['OPEN'], OPEN: ['IN_PROGRESS', 'CLOSED'], IN_PROGRESS: ['CLOSED'] },
  'bill.delivery_status': { PLACED: ['PROCESSED'], PROCESSED: ['SHIPPED'], SHIPPED: ['DELIVERED'], DELIVERED: ['RETURNED'] },
  'customer_identifier.card_status': {
    NOT_ISSUED: ['ISSUED'],
    ISSUED: ['ACTIVE'],
    ACTIVE: ['SUSPENDED', 'EXPIRED', 'DELETED'],
    SUSPENDED: ['ACTIVE', 'EXPIRED', 'DELETED'],
  },
  'reminder.state': { SCHEDULED: ['DUE', 'DONE', 'DISMISSED', 'CANCELLED'], DUE: ['DONE', 'DISMISSED', 'CANCELLED'] },
};

export function hasStates(field: string): boolean {
  return field in machines;
}

export function canReach(field: string, from: string, to: string): boolean {
  const transitions = machines[field] ?? {};
  const seen = new Set<string>();
  const queue = [from];
  for (let state = queue.pop(); state !== undefined; state = queue.pop()) {
    for (const next of transitions[state] ?? []) {
      if (next === to) return true;
      if (seen.has(next)) continue;
      seen.add(next);
      queue.push(next);
    }
  }
  return false;
}
