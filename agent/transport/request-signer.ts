import { type CryptoKey, type JWK, SignJWT, importJWK } from 'jose';
import { sha256Base64Url } from '../../codec/pack.ts';
import { REQUEST_PROOF_TYPE, REQUEST_SCHEME } from '../../protocol/request-proof.ts';

/** Signs one request as `protocol/request-proof.ts` says. The key never leaves this process. */
export interface SignerIdentity {
  readonly replicaId: string;
  readonly organization: string;
  readonly privateKey: JWK;
}

export interface ProvableRequest {
  readonly method: string;
  readonly path: string;
  readonly body: string;
  /** Seconds, by head office's clock as far as it is known. */
  readonly issuedAt: number;
  /** This machine's own clock, ms. */
  readonly clock?: number;
  readonly id: string;
}

export async function createRequestSigner(identity: SignerIdentity): Promise<(request: ProvableRequest) => Promise<string>> {
  const key = (await importJWK(identity.privateKey, 'ES256')) as CryptoKey;
  return async ({ method, path, body, issuedAt, clock, id }) => {
    const token = await new SignJWT({ htm: method, htp: path, bd: sha256Base64Url(body), ...(clock === undefined ? {} : { clk: clock }) })
      .setProtectedHeader({ alg: 'ES256', typ: REQUEST_PROOF_TYPE, kid: identity.replicaId })
      .setIssuer(identity.replicaId)
      .setAudience(identity.organization)
      .setIssuedAt(issuedAt)
      .setJti(id)
      .sign(key);
    return `${REQUEST_SCHEME} ${token}`;
  };
}
