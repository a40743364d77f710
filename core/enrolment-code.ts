/**
 * One-time codes: 128 random bits as 26 letters and digits of Crockford's alphabet (no I, L, O, U), shown in groups.
 * Read aloud and typed by people, so case, spaces and dashes do not count.
 */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** 16 random bytes to `XXXXX-XXXXX-XXXXX-XXXXX-XXXXXX`. */
export function formatCode(random: Uint8Array): string {
  let bits = 0n;
  for (const byte of random) bits = (bits << 8n) | BigInt(byte);
  let text = '';
  for (let index = 0; index < 26; index += 1) {
    text = ALPHABET.charAt(Number(bits & 31n)) + text;
    bits >>= 5n;
  }
  return text.replace(/^(.{5})(.{5})(.{5})(.{5})(.{6})$/, '$1-$2-$3-$4-$5');
}

export function normalizeCode(code: string): string {
  return code.toUpperCase().replaceAll(/[\s-]/g, '').replaceAll('O', '0').replaceAll(/[IL]/g, '1');
}
