import type { ConsoleRequest } from './messages/console.ts';
import { ROLES, type Role } from './role.ts';

/**
 * Who may do what at the console. A viewer looks; an operator looks at people's data as well, and mends one store or one record; an
 * admin decides which stores there are and what main data says. A role may do what the ones before it may.
 * The least role of each operation; one without its line does not compile.
 */
export const leastRoles: Readonly<Record<ConsoleRequest['op'], Role>> = {
  'store.add': 'admin',
  'store.change': 'admin',
  'store.code': 'admin',
  'store.revoke': 'admin',
  'store.decommission': 'admin',
  'store.rotate-key': 'admin',
  'store.list': 'viewer',
  'store.show': 'viewer',
  'store.changes': 'viewer',
  'records.write': 'admin',
  'records.get': 'operator',
  'records.lost': 'operator',
  'records.count': 'viewer',
  'sync.list': 'viewer',
  'sync.status': 'viewer',
  'sync.manual': 'operator',
  'sync.command': 'viewer',
  'sync.cancel': 'operator',
  'feeds.list': 'viewer',
  'quarantine.list': 'operator',
  'exceptions.list': 'operator',
  'exceptions.show': 'operator',
  'exceptions.replay': 'operator',
  'exceptions.discard': 'operator',
  'audit.list': 'admin',
  'erase.begin': 'admin',
  'rebuild.begin': 'admin',
  'undertaking.carry-out': 'admin',
  'undertaking.end': 'admin',
  'approvals.list': 'admin',
  'approvals.approve': 'admin',
  'approvals.reject': 'admin',
  'rollout.status': 'viewer',
  'rollout.stop': 'admin',
  'rollout.resume': 'admin',
  'rollout.finish': 'admin',
};

export function isAllowed(role: Role, op: ConsoleRequest['op']): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(leastRoles[op]);
}
