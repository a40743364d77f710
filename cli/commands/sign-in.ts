import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { SyncError, isSyncError } from '../../protocol/sync-error.ts';
import { HeadOffice } from '../head-office.ts';
import { type OfficeOptions, withPlaceOptions } from '../office-options.ts';
import { print, say } from '../output.ts';
import { type Beginning, type Provider, type SignedIn, beginSignIn, revoke } from '../people/provider.ts';
import { type ReturnListener, listenForReturn } from '../people/return-listener.ts';
import { type Session, Sessions, sessionsFile } from '../people/sessions.ts';
import type { Place } from '../place.ts';
import { officeOf, placeOf } from '../stack.ts';
import { claimsOf } from '../people/claims.ts';
import { roleOf } from '../../protocol/role.ts';

/** People say who they are once, in their browser, and every later command asks head office in their name and role. */
interface Options extends Pick<OfficeOptions, 'dir' | 'org'> {
  readonly json?: boolean;
}

const SIGN_IN_MINUTES = 5;

export function addSignInCommands(program: Command): void {
  withPlaceOptions(program.command('sign-in'))
    .description('say who you are, in your browser; later commands act in your name and role until you sign out')
    .option('--no-browser', 'only print the address to open')
    .option('--json', 'as JSON')
    .action(signIn);
  withPlaceOptions(program.command('sign-out'))
    .description('forget who is signed in on this machine, and take the sign-in back at the identity provider')
    .option('--json', 'as JSON')
    .action(signOut);
}

async function signIn({ browser, json = false, ...where }: Options & { readonly browser: boolean }): Promise<void> {
  const place = await placeOf(where);
  if (place.provider === null)
    throw new SyncError(
      'NOT_READY',
      `people cannot sign in to ${place.organization} with this program: give its identity provider a public client, write it as identity.clientId into the organization's file, and deploy`,
    );
  const listener = await listenForReturn();
  try {
    const beginning = await beginSignIn(place.provider, listener.address);
    await show(beginning.url, browser);
    const session = await completed({ ...place, provider: place.provider }, beginning, listener);
    const role = roleOf(claimsOf(session.accessToken));
    print(
      { json },
      { name: session.name, subject: session.subject, role, organization: place.organization },
      () => `Signed in to ${place.organization} as ${session.name}, ${String(role)}. \`storeline sign-out\` ends it.`,
    );
  } finally {
    listener.close();
  }
}

async function show(url: URL, browser: boolean): Promise<void> {
  if (browser) {
    say('Your browser opens; sign in there. If it does not, open this address on this machine:');
    const { default: open } = await import('open');
    // Where there is none the address is enough.
    await open(url.href).then(
      (child) => void child.on('error', () => undefined),
      () => undefined,
    );
  } else say('Open this address in a browser on this machine:');
  say(`\n  ${url.href}\n`);
}

/** Head office's word on who somebody is before it is kept, and kept before anybody is told so. */
async function completed(place: Place & { provider: Provider }, beginning: Beginning, listener: ReturnListener): Promise<Session> {
  const gaveUp = new AbortController();
  const late = sleep(SIGN_IN_MINUTES * 60_000, undefined, { signal: gaveUp.signal }).then(() => {
    throw new SyncError('UNAUTHORIZED', `nobody signed in within ${SIGN_IN_MINUTES} minutes; say the command again`);
  });
  const returned = await Promise.race([listener.returned(beginning.state), late]).finally(() => gaveUp.abort());
  try {
    const session = sessionOf(place.provider, await beginning.finish(returned.url));
    await new HeadOffice(place, { kind: 'session', session, token: () => Promise.resolve(session.accessToken) }).call<'store.list'>({
      op: 'store.list',
      limit: 1,
    });
    new Sessions(sessionsFile(process.env)).write(place.office, session);
    returned.answer({ title: 'You are signed in', text: `${session.name}: go back to the command line. This page can be closed.` });
    return session;
  } catch (error) {
    returned.answer({ title: 'You are not signed in', text: 'The command line says why. This page can be closed.' });
    throw error;
  }
}

function sessionOf({ issuer, clientId }: Provider, { lifeMs, ...signedIn }: SignedIn): Session {
  const now = Date.now();
  return { ...signedIn, issuer, clientId, expiresAt: now + lifeMs, signedInAt: new Date(now).toISOString() };
}

async function signOut({ json = false, ...where }: Options): Promise<void> {
  const session = new Sessions(sessionsFile(process.env)).remove(officeOf(where));
  if (session === null) {
    print({ json }, { signedOut: false }, () => 'Nobody is signed in there on this machine.');
    return;
  }
  if (session === 'UNREADABLE') {
    say('What stood there is of another version of this program, and was not taken back at the identity provider.');
    print({ json }, { signedOut: true, name: null, revoked: false }, () => 'Signed out.');
    return;
  }
  const isRevoked = await takeBack(session);
  print({ json }, { signedOut: true, name: session.name, revoked: isRevoked }, () => `Signed out: ${session.name}.`);
}

/** It is gone from here in any case. */
async function takeBack({ issuer, clientId, refreshToken, expiresAt }: Session): Promise<boolean> {
  try {
    if (refreshToken !== null && (await revoke({ issuer, clientId }, refreshToken))) return true;
    say('The identity provider takes no sign-in back; end it there if this machine is not yours.');
  } catch (error) {
    if (!isSyncError(error)) throw error;
    say(`The sign-in is forgotten here, and was not taken back: ${error.message}.`);
  }
  say(`A token that was given is good until ${new Date(expiresAt).toISOString()}.`);
  return false;
}
