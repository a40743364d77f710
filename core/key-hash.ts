/**
 * 32 bits of a key, spread evenly: FNV-1a over the characters, then the finalizer of MurmurHash3, because FNV's high
 * bits barely move for short keys. Part of what is stored (chunk boundaries, buckets of main data): never change it.
 */
export function keyHash(key: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < key.length; index += 1) hash = Math.imul(hash ^ key.charCodeAt(index), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
