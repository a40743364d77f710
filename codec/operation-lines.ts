import type { Operation } from '../protocol/operation.ts';
import { PAGE_LEVEL, pack, unpack } from './pack.ts';

/** Operations as an object: a line of JSON each, packed. A line can be read without those around it. */
export function packOperations(operations: readonly Operation[]): Promise<Buffer> {
  return pack(operations.map((operation) => JSON.stringify(operation)).join('\n'), PAGE_LEVEL);
}

/** The lines, not yet looked at. `INTEGRITY` when the bytes are not packed, or hold more than `rawBytesMax`. */
export async function unpackLines(bytes: Uint8Array, rawBytesMax: number): Promise<string[]> {
  return (await unpack(bytes, { rawBytesMax })).toString('utf8').split('\n');
}
