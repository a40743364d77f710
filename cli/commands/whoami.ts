import type { Command } from 'commander';
import { type Role, roleOf } from '../../protocol/role.ts';
import { type OfficeOptions, withOfficeOptions } from '../office-options.ts';
import { print } from '../output.ts';
import type { Caller } from '../people/caller.ts';
import { claimsOf } from '../people/claims.ts';
import { callerAt, placeOf } from '../stack.ts';

interface Me {
  readonly via: 'AWS' | 'TOKEN' | 'SIGN_IN';
  readonly name: string | null;
  readonly subject: string | null;
  readonly role: Role | null;
  readonly signedInAt: string | null;
}

const AS_AWS: Me = { via: 'AWS', name: null, subject: null, role: 'admin', signedInAt: null };

export function addWhoamiCommand(program: Command): void {
  withOfficeOptions(program.command('whoami'))
    .description('in whose name commands act here, and in which role')
    .option('--json', 'as JSON')
    .action(whoami);
}

async function whoami({ json = false, ...options }: OfficeOptions & { readonly json?: boolean }): Promise<void> {
  const place = await placeOf(options);
  const me = await meOf(callerAt(place, options));
  print({ json }, { ...me, organization: place.organization }, () => textOf(me, place.organization));
}

/** Of a sign-in: renewed if it has to be, so that one that has ended says so here. */
async function meOf(caller: Caller): Promise<Me> {
  if (caller.kind === 'aws') return AS_AWS;
  const claims = claimsOf(await caller.token());
  const role = roleOf(claims);
  if (caller.kind === 'session') {
    const { name, subject, signedInAt } = caller.session;
    return { via: 'SIGN_IN', name, subject, role, signedInAt };
  }
  const subject = typeof claims['sub'] === 'string' ? claims['sub'] : null;
  return { via: 'TOKEN', name: subject, subject, role, signedInAt: null };
}

function textOf({ via, name, subject, role, signedInAt }: Me, organization: string): string {
  if (via === 'AWS')
    return `Commands to ${organization} act by AWS credentials, as an admin. What two people decide needs a sign-in: \`storeline sign-in\`.`;
  const how = signedInAt === null ? 'by the token in STORELINE_TOKEN' : `signed in ${signedInAt}`;
  return `${name ?? 'somebody'} (${subject ?? 'unknown'}), ${role ?? 'in no role'}, at ${organization}; ${how}`;
}
