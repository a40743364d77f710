import { decodeJwt } from 'jose';

/** What a token says of its person, for people to read: head office checks it. Of one that is no JWT nothing is known here. */
export function claimsOf(token: string): Readonly<Record<string, unknown>> {
  try {
    return decodeJwt(token);
  } catch {
    return {};
  }
}
