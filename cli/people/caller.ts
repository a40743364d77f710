/**
 * In whose name a command asks head office. What is said on the command line goes before what stands in the environment, and that before who
 * signed in; and never one in place of another: a sign-in that has ended is an error, not another name (INV-58).
 */
import { SyncError } from '../../protocol/sync-error.ts';
import { type Provider, renew } from './provider.ts';
import type { Session, Sessions } from './sessions.ts';

/** `aws`: head office's functions are invoked with AWS credentials, and whoever has those acts as admin. */
export type Caller =
  | { readonly kind: 'aws' }
  | { readonly kind: 'token'; readonly token: () => Promise<string> }
  | { readonly kind: 'session'; readonly session: Session; readonly token: () => Promise<string> };

interface CallerParts {
  /** Said with the command: `--aws`, or a profile of AWS. */
  readonly asAws: boolean;
  /** Of the environment; empty: none. */
  readonly token: string;
  readonly office: string;
  /** null: people cannot sign in to it. */
  readonly provider: Provider | null;
  readonly sessions: Sessions;
  readonly now: () => number;
  readonly renew?: typeof renew;
}

/** A token is renewed when it would run out while a request is under way. */
const MARGIN_MS = 60_000;
/** As RFC 6750 spells one; anything else would be said in an error about the header that it cannot stand in. */
const TOKEN = /^[\w.~+/-]+=*$/;

export function callerFor(parts: CallerParts): Caller {
  if (parts.asAws) return { kind: 'aws' };
  if (parts.token !== '') {
    const token = parts.token.trim();
    if (!TOKEN.test(token))
      throw new SyncError('INVALID_INPUT', 'what stands in STORELINE_TOKEN is no token; is it whole, and on one line?');
    return { kind: 'token', token: () => Promise.resolve(token) };
  }
  const session = parts.sessions.read(parts.office);
  if (session === null) return { kind: 'aws' };
  const { provider } = parts;
  if (provider === null || provider.issuer !== session.issuer || provider.clientId !== session.clientId)
    throw ended('you signed in at another identity provider than the one that head office has now');
  return { kind: 'session', session, token: tokenOf(parts, provider, session) };
}

/** Requests of one command that come at once wait for one renewal. */
function tokenOf(parts: CallerParts, provider: Provider, first: Session): () => Promise<string> {
  let held = first;
  let renewing: Promise<Session> | null = null;
  return async () => {
    if (isGood(held, parts.now())) return held.accessToken;
    renewing ??= renewed(parts, provider, first).finally(() => (renewing = null));
    held = await renewing;
    return held.accessToken;
  };
}

function isGood({ expiresAt }: Session, now: number): boolean {
  return expiresAt - MARGIN_MS > now;
}

async function renewed({ sessions, office, now, renew: ask = renew }: CallerParts, provider: Provider, first: Session): Promise<Session> {
  return sessions.replace(office, async (session) => {
    if (session === null) throw ended('you have signed out');
    if (!isSamePerson(session, first)) throw ended('somebody else has signed in meanwhile');
    // Another command was quicker.
    if (isGood(session, now())) return session;
    if (session.refreshToken === null) throw ended('the identity provider renews no sign-in');
    const tokens = await ask(provider, session.refreshToken);
    if (tokens === null) throw ended('the identity provider renews it no more');
    return { ...session, accessToken: tokens.accessToken, refreshToken: tokens.refreshToken, expiresAt: now() + tokens.lifeMs };
  });
}

function isSamePerson(one: Session, other: Session): boolean {
  return one.issuer === other.issuer && one.clientId === other.clientId && one.subject === other.subject;
}

function ended(why: string): SyncError {
  const what = 'sign in again with `storeline sign-in`, forget it with `storeline sign-out`, or say `--aws` to use AWS credentials';
  return new SyncError('UNAUTHORIZED', `your sign-in has ended (${why}); ${what}`);
}
