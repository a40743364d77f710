import * as z from 'zod';

/**
 * How a store signs a request: `authorization: Storeline <JWT>`, ES256 by the replica's own key, one per request.
 * The JWT binds method, path and body, so it is worth nothing for any other request, and nothing at all after
 * `limits.requestSkewMs`. Head office keeps no secret and issues no token; the replica row is read at every request,
 * so revoking it works at once. Why not a bearer token: docs/decisions.
 */
export const REQUEST_SCHEME = 'Storeline';
export const REQUEST_PROOF_TYPE = 'storeline-request+jwt';

/** `kid`: the replica id, `<storeId>:<uuid>`, 64 + 1 + 36 characters at most. Anybody can send anything here. */
export const requestProofHeaderSchema = z.object({ kid: z.string().regex(/^[A-Za-z0-9._:-]{1,101}$/) });

/** On top of the registered claims: `iss` is the replica id (also the header's `kid`), `aud` the organization. */
export const requestProofSchema = z.object({
  htm: z.string(),
  /** Path, without origin or query. */
  htp: z.string(),
  /** sha256 of the body bytes, base64url. */
  bd: z.string(),
  /** Seconds. */
  iat: z.number(),
  jti: z.string().min(1),
  /** The store's own clock, ms, as it is: `iat` is corrected by what the agent knows of head office's. Absent in older agents. */
  clk: z.number().optional(),
});
export type RequestProof = z.infer<typeof requestProofSchema>;
