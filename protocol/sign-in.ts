/**
 * Where the identity provider sends people back to who sign in with the command line: the first of these ports that is free on their
 * own machine. Providers want each address written down, so they are few and fixed (RFC 8252, section 8.3: `localhost` may be
 * listened on by whoever is on this machine, which is why a code is nothing without its verifier).
 */
export const SIGN_IN_PORTS = [8751, 8752, 8753] as const;

export function returnAddress(port: number): string {
  return `http://localhost:${port}/`;
}

/** What is asked for of a provider that needs nothing else: who somebody is. */
export const SIGN_IN_SCOPES = ['openid', 'email'] as const;
