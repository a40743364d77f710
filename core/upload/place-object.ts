import type { OutboxMark } from '../../protocol/operation.ts';
import type { UploadHead } from '../ports/upload-store.ts';

/**
 * Where operations of an object belong: by the same rules as a batch (INV-10), from the two marks alone, because the object
 * itself may be applied and gone.
 *
 * - `append`: they follow on what is stored
 * - `replace`: they were stored, lost before they were applied, and are wanted again
 * - `stored`: at least the first of them are stored; the replica goes on from there, and says its own chain there when it does
 */
export type ObjectPlace = 'append' | 'replace' | 'stored' | 'gap' | 'fork';

export function placeObject(
  head: UploadHead,
  { after, through }: { readonly after: OutboxMark; readonly through: OutboxMark },
): ObjectPlace {
  const { stored, appliedThrough, wantedThrough } = head;
  if (after.seq > stored.seq) return 'gap';
  if (after.seq === stored.seq) return after.chain === stored.chain ? 'append' : 'fork';
  if (through.seq === stored.seq && through.chain !== stored.chain) return 'fork';
  return through.seq === wantedThrough && after.seq === appliedThrough ? 'replace' : 'stored';
}
