import { assert } from '../../protocol/assert.ts';
import type { FeedName } from '../../protocol/feed.ts';
import { type Block, type SectionReader, blockRows } from '../../protocol/sections.ts';
import { agentLimits } from '../agent-limits.ts';
import type { Replica } from './replica.ts';
import { RowWrite } from './row-write.ts';

/**
 * Applies a page or a sealed run of pages: its changes and the cursor, in one transaction, durable when it returns (INV-06).
 *
 * A change is taken only if its `rev` is newer than the row's and than a tombstone's (INV-07), so pages may repeat
 * anything, and a run may begin before the cursor. The cursor only moves on (INV-05); a gap is a bug here or at head
 * office and stops the agent. Rows are parsed block by block while they are written, so a large run needs no more memory.
 * Absent columns become null: a page carries whole records.
 */
export interface Page {
  readonly feed: FeedName;
  readonly generation: string;
  /** The pages `after`+1 … `position`. */
  readonly after: number;
  readonly position: number;
  /** Taken once. */
  readonly sections: Iterable<SectionReader>;
  /** Of the feed's head. */
  readonly asOf: string | null;
}

export interface PageEffect {
  readonly written: number;
  readonly removed: number;
}

export function applyPage(replica: Replica, page: Page): PageEffect {
  return replica.transaction(() => {
    const cursor = replica.cursor(page.feed);
    assert(cursor !== null && cursor.generation === page.generation, () => `INV-05: a page of ${page.feed} in another generation`);
    assert(
      page.after <= cursor.position && cursor.position < page.position,
      () => `INV-05: pages ${page.after + 1} to ${page.position} of ${page.feed} after ${cursor.position}`,
    );
    const effect = { written: 0, inserted: 0, removed: 0 };
    for (const section of page.sections) {
      replica.ensureTable(section.collection, page.feed);
      for (const block of section.blocks) {
        if (section.kind === 'puts') applyPuts(replica, section, { block, effect });
        else applyTombstones(replica, section.collection, { block, effect });
      }
    }
    replica.advance(page.feed, page, { rowsMore: effect.inserted - effect.removed, asOf: page.asOf });
    return { written: effect.written, removed: effect.removed };
  });
}

interface Effect {
  written: number;
  inserted: number;
  removed: number;
}

const writes = new WeakMap<Replica, Map<string, RowWrite>>();

/** Pages of a feed mostly name the same columns, so the statements of the last ones are worth keeping. */
function writeFor(replica: Replica, { collection, columns }: Pick<SectionReader, 'collection' | 'columns'>): RowWrite {
  const own = writes.get(replica) ?? new Map<string, RowWrite>();
  writes.set(replica, own);
  const name = JSON.stringify([collection, columns]);
  let write = own.get(name);
  if (write === undefined) {
    if (own.size >= agentLimits.preparedWritesMax) own.clear();
    write = new RowWrite(replica.db, { collection, columns });
    own.set(name, write);
  }
  return write;
}

function applyPuts(
  replica: Replica,
  section: Pick<SectionReader, 'collection' | 'columns'>,
  { block, effect }: { block: Block; effect: Effect },
): void {
  const { collection } = section;
  const write = writeFor(replica, section);
  const anyTombstone = replica.prepare('SELECT 1 FROM _tombstone WHERE collection = ? LIMIT 1').get(collection) !== undefined;
  const tombstoneRev = replica.prepare('SELECT rev FROM _tombstone WHERE collection = ? AND key = ?');
  const forget = replica.prepare('DELETE FROM _tombstone WHERE collection = ? AND key = ?');
  for (const row of blockRows(block)) {
    const outcome = write.updateOlder(row);
    if (outcome === 'kept') continue;
    if (outcome === 'absent') {
      const gone = anyTombstone ? tombstoneRev.get(collection, row[0])?.['rev'] : undefined;
      if (gone !== undefined && Number(gone) >= row[1]) continue;
      if (gone !== undefined) forget.run(collection, row[0]);
      write.insert(row);
      effect.inserted += 1;
    }
    effect.written += 1;
  }
}

function applyTombstones(replica: Replica, collection: string, { block, effect }: { block: Block; effect: Effect }): void {
  const rowRev = replica.prepare(`SELECT rev FROM "${collection}" WHERE "key" = ?`);
  const remove = replica.prepare(`DELETE FROM "${collection}" WHERE "key" = ?`);
  const remember = replica.prepare(
    'INSERT INTO _tombstone (collection, key, rev) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET rev = excluded.rev WHERE excluded.rev > rev',
  );
  for (const [key, rev] of blockRows(block)) {
    const own = rowRev.get(key)?.['rev'];
    if (own !== undefined && Number(own) >= rev) continue;
    if (own !== undefined) {
      remove.run(key);
      effect.removed += 1;
    }
    remember.run(collection, key, rev);
  }
}
