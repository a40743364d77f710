import type { ObjectEntry } from '../ports/upload-store.ts';

/**
 * Names of objects in the uploads bucket: whose operations, which, and the digest of the bytes. So an address for one is good
 * for that content only, and what may be thrown away is known without reading anything but the replica's head.
 */
export const UPLOADS = 'uploads/';

export function uploadKey(replicaId: string, { after, through, sha256 }: Pick<ObjectEntry, 'after' | 'through' | 'sha256'>): string {
  return `${UPLOADS}${replicaId.replace(':', '/')}/${digits(after + 1)}-${digits(through.seq)}-${sha256}`;
}

/** null: nobody of ours named it. */
export function readUploadKey(key: string): { readonly replicaId: string; readonly through: number } | null {
  const [, storeId, uuid, through] = /^uploads\/([^/]+)\/([^/]+)\/\d{12}-(\d{12})-[0-9a-f]{64}$/.exec(key) ?? [];
  return storeId === undefined || uuid === undefined ? null : { replicaId: `${storeId}:${uuid}`, through: Number(through) };
}

function digits(seq: number): string {
  return String(seq).padStart(12, '0');
}
