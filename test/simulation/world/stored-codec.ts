import { SyncError } from '../../../protocol/sync-error.ts';

/**
 * Pack and unpack without compressing, for simulations: the same promises as `codec/pack.ts`, a hundred times faster,
 * and in this thread. The real one works in a pool of threads, so functions at work at once would interleave in another
 * order every time, and a seed could not be run again.
 */
const MARK = Buffer.from('SIM1');

export function pack(text: string): Promise<Buffer> {
  return Promise.resolve(Buffer.concat([MARK, Buffer.from(text, 'utf8')]));
}

export function unpack(bytes: Uint8Array, { rawBytesMax, rawBytes }: { rawBytesMax: number; rawBytes?: number }): Promise<Buffer> {
  const packed = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = packed.subarray(MARK.length);
  const whole = packed.subarray(0, MARK.length).equals(MARK) && text.length <= rawBytesMax && (rawBytes ?? text.length) === text.length;
  return whole ? Promise.resolve(text) : Promise.reject(new SyncError('INTEGRITY', 'packed bytes cannot be unpacked'));
}
