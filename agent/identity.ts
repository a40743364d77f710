import { readFileSync, rmSync } from 'node:fs';
import * as z from 'zod';
import { SyncError } from '../protocol/sync-error.ts';
import { writeDurably } from './durable-file.ts';

/** Who this replica is. The private key is made here and never leaves this file. */
const publicKeySchema = z.object({ kty: z.literal('EC'), crv: z.literal('P-256'), x: z.string(), y: z.string() });
const privateKeySchema = publicKeySchema.extend({ d: z.string() });
const savedSchema = z.object({ privateKey: privateKeySchema });
const identitySchema = z.object({
  replicaId: z.string().min(1),
  storeId: z.string().min(1),
  organization: z.string().min(1),
  api: z.string().min(1),
  privateKey: privateKeySchema,
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

/**
 * The key of the enrolment under way: on disk before head office sees its public half, and the same one until the
 * enrolment is done. So when the answer is lost, the same command again is the same replica.
 */
export async function enrolmentKeys(path: string): Promise<KeyPair> {
  const saved = readSaved(path);
  if (saved !== null) return saved;
  const { privateKey } = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
  const jwk = privateKeySchema.parse(await crypto.subtle.exportKey('jwk', privateKey));
  writeDurably(path, `${JSON.stringify({ privateKey: jwk })}\n`);
  return pairOf(jwk);
}

/** Null also when it cannot be read: then no replica was made with it that anybody could use. */
function readSaved(path: string): KeyPair | null {
  try {
    return pairOf(savedSchema.parse(JSON.parse(readFileSync(path, 'utf8'))).privateKey);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined || code === 'ENOENT') return null;
    throw error;
  }
}

function pairOf(privateKey: Identity['privateKey']): KeyPair {
  const { kty, crv, x, y } = privateKey;
  return { privateKey, publicKey: { kty, crv, x, y } };
}

export function removeEnrolmentKeys(path: string): void {
  rmSync(path, { force: true });
}
