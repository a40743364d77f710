import { sha256Hex } from '../../codec/pack.ts';
import { limits } from '../../protocol/limits.ts';

/**
 * A quarantined item as JSON text that always fits into an item of DynamoDB: what cannot be kept would hold up the feed
 * it was set aside for.
 *
 * What fits is kept whole, but for binary values. Of what does not, first long texts and then everything is cut; size
 * and sha256 of what was cut stay, so that it can be recognized in main data.
 */
const TEXT_CHARACTERS_MAX = 1_000;
const START_CHARACTERS = 100;

export function quarantineItem(item: unknown): string {
  const whole = JSON.stringify(item, storable);
  if (fits(whole)) return whole;
  const shortened = JSON.stringify(item, (name, value: unknown) => shortText(storable(name, value)));
  return fits(shortened) ? shortened : JSON.stringify({ cut: cutOf(whole), start: whole.slice(0, START_CHARACTERS) });
}

function fits(text: string): boolean {
  return Buffer.byteLength(text) <= limits.quarantineItemBytesMax;
}

/** What images can hold and JSON cannot. */
function storable(_: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  if (value instanceof Set) return [...value];
  if (value instanceof Uint8Array) return { cut: cutOf(value) };
  return value;
}

function shortText(value: unknown): unknown {
  if (typeof value !== 'string' || value.length <= TEXT_CHARACTERS_MAX) return value;
  return { cut: cutOf(value), start: value.slice(0, START_CHARACTERS) };
}

function cutOf(value: string | Uint8Array): { bytes: number; sha256: string } {
  return { bytes: Buffer.byteLength(value), sha256: sha256Hex(value) };
}
