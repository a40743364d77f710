/** What people are at a head office. A role may do what the ones before it may; which operation needs which: `console-roles.ts`. */
export const ROLES = ['viewer', 'operator', 'admin'] as const;
export type Role = (typeof ROLES)[number];

const GROUP_PREFIX = 'storeline-';
/** What the role's group is called at the identity provider. */
export function groupOf(role: Role): string {
  return `${GROUP_PREFIX}${role}`;
}

/** The highest role of the groups that a token's claims name, by whichever claim the provider has for them; null: none of ours. */
export function roleOf(claims: Readonly<Record<string, unknown>>): Role | null {
  const groups = claims['cognito:groups'] ?? claims['groups'];
  return ROLES.findLast((role) => Array.isArray(groups) && groups.includes(groupOf(role))) ?? null;
}
