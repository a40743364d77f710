import { SyncError } from '../../../protocol/sync-error.ts';
import type { UnpackLimits } from '../../../codec/pack.ts';

/**
 * Packed bytes without packing: a mark and the text. Nine tenths of a history's time were zstd, which has its own tests
 * and is the same in every history; so there are ten times as many histories instead. Limits and damage are as in the
 * real codec.
 */
const MARK = Buffer.from('stored:');

export function pack(text: string): Promise<Buffer> {
  return Promise.resolve(Buffer.concat([MARK, Buffer.from(text, 'utf8')]));
}

export async function unpack(bytes: Uint8Array, { rawBytesMax }: UnpackLimits): Promise<Buffer> {
  await Promise.resolve();
  const packed = Buffer.from(bytes);
  if (!packed.subarray(0, MARK.length).equals(MARK) || packed.length - MARK.length > rawBytesMax)
    throw new SyncError('INTEGRITY', 'packed bytes cannot be unpacked');
  return packed.subarray(MARK.length);
}
