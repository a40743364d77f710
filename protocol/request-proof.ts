/**
 * How a store signs a request: `authorization: Storeline <JWT>`, ES256 by the replica's own key, one per request.
 * The JWT binds method, path and body, so it is worth nothing for any other request, and nothing at all after
 * `limits.requestSkewMs`. Head office keeps no secret and issues no token; the replica row is read at every request,
 * so revoking it works at once. Why not a bearer token: docs/decisions.
 */
export const REQUEST_SCHEME = 'Storeline';
export const REQUEST_PROOF_TYPE = 'storeline-request+jwt';

export interface RequestProofClaims {
  /** Replica id; also the header's `kid`. */
  readonly iss: string;
  /** Organization name. */
  readonly aud: string;
  readonly htm: string;
  /** Path, without origin or query. */
  readonly htp: string;
  /** sha256 of the body bytes, base64url. */
  readonly bd: string;
  /** Seconds. */
  readonly iat: number;
  readonly jti: string;
}
