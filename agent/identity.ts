import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { SyncError } from '../protocol/sync-error.ts';
import { writeDurably } from './durable-file.ts';

/** Who this replica is. The private key is made here and never leaves this file. */
const publicKeySchema = z.object({ kty: z.literal('EC'), crv: z.literal('P-256'), x: z.string(), y: z.string() });
const identitySchema = z.object({
  replicaId: z.string().min(1),
  storeId: z.string().min(1),
  organization: z.string().min(1),
  api: z.string().min(1),
  privateKey: publicKeySchema.extend({ d: z.string() }),
});
export type Identity = z.infer<typeof identitySchema>;

export function readIdentity(path: string): Identity | null {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  try {
    return identitySchema.parse(JSON.parse(text));
  } catch {
    // The parser's message may quote the file, and the file holds the key.
    throw new SyncError('NOT_ENROLLED', 'identity.json is damaged; restore it from a backup, or remove it and enrol with a new code');
  }
}

export function requireIdentity(path: string): Identity {
  const identity = readIdentity(path);
  if (identity === null)
    throw new SyncError('NOT_ENROLLED', 'this data folder has no identity yet; run `agent enrol` with a code from head office');
  return identity;
}

export function writeIdentity(path: string, identity: Identity): void {
  writeDurably(path, `${JSON.stringify(identity, null, 2)}\n`);
}

export interface KeyPair {
  readonly privateKey: Identity['privateKey'];
  readonly publicKey: z.infer<typeof publicKeySchema>;
}

export async function createKeyPair(): Promise<KeyPair> {
  const { privateKey } = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
  const jwk = await crypto.subtle.exportKey('jwk', privateKey);
  const parsed = publicKeySchema.extend({ d: z.string() }).parse(jwk);
  const { kty, crv, x, y } = parsed;
  return { privateKey: parsed, publicKey: { kty, crv, x, y } };
}
