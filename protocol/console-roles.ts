import type { ConsoleRequest } from './messages/console.ts';

/**
 * Who may do what at the console. A viewer looks; an operator mends one store or one record; an admin decides which stores there
 * are and what main data says. A role may do what the ones before it may.
 */
export const ROLES = ['viewer', 'operator', 'admin'] as const;
export type Role = (typeof ROLES)[number];

interface Rule {
  /** The least role. */
  readonly role: Role;
  /** It changes something, or shows what is about people: it stands in the audit. */
  readonly isAudited: boolean;
}

const look: Rule = { role: 'viewer', isAudited: false };
/** Values of records are about people. */
const lookAtPeople: Rule = { role: 'operator', isAudited: true };
const mend: Rule = { role: 'operator', isAudited: true };
const decide: Rule = { role: 'admin', isAudited: true };

/** An operation without its line does not compile. */
export const consoleRules: Readonly<Record<ConsoleRequest['op'], Rule>> = {
  'store.add': decide,
  'store.change': decide,
  'store.code': decide,
  'store.revoke': decide,
  'store.decommission': decide,
  'store.rotate-key': decide,
  'store.list': look,
  'store.show': look,
  'store.changes': look,
  'records.write': decide,
  'records.get': lookAtPeople,
  'records.lost': lookAtPeople,
  'records.count': look,
  'sync.list': look,
  'sync.status': look,
  'sync.manual': mend,
  'sync.command': look,
  'sync.cancel': mend,
  'feeds.list': look,
  'quarantine.list': lookAtPeople,
  'exceptions.list': lookAtPeople,
  'exceptions.show': lookAtPeople,
  'exceptions.replay': mend,
  'exceptions.discard': mend,
  'audit.list': decide,
};

export function isAllowed(role: Role, op: ConsoleRequest['op']): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(consoleRules[op].role);
}
