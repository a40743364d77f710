import { blockRows } from '../../protocol/sections.ts';
import type { ChunkContent } from './chunk-content.ts';
import type { Replica } from './replica.ts';
import { layoutOf, rangeSql, rangeValues } from './table-layout.ts';

/** What replacing a range would do, row by row. */
export interface RangeChanges {
  readonly add: number;
  readonly change: number;
  readonly remove: number;
}

/** Blocks are taken once; whoever looks at them twice keeps them. */
export function keptBlocks(content: ChunkContent): ChunkContent {
  return content.puts === null ? content : { ...content, puts: { ...content.puts, blocks: [...content.puts.blocks] } };
}

/** Compares rows by revision and by every value this agent knows. Reads only. */
export function compareRange(replica: Replica, { range, puts }: ChunkContent): RangeChanges {
  const { collection, from, to } = range;
  if (!replica.db.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?").get(collection))
    return { add: range.chunk.rows, change: 0, remove: 0 };
  const known = layoutOf(collection).columns;
  const columns = (puts?.columns ?? []).map((column, index) => ({ column, index })).filter(({ column }) => known.includes(column));
  const absent = known.filter((column) => !columns.some((one) => one.column === column));
  const theirs = new Map((puts === null ? [] : [...puts.blocks].flatMap(blockRows)).map((row) => [row[0], row]));
  let [change, remove] = [0, 0];
  const own = replica.db.prepare(`SELECT * FROM "${collection}" WHERE ${rangeSql(to)}`).iterate(...rangeValues(from, to));
  for (const mine of own as Iterable<Record<string, unknown>>) {
    const row = theirs.get(String(mine['key']));
    if (row === undefined) {
      remove += 1;
      continue;
    }
    theirs.delete(row[0]);
    const isSame =
      row[1] === mine['rev'] &&
      columns.every(({ column, index }) => (mine[column] ?? null) === (row[index + 2] ?? null)) &&
      absent.every((column) => mine[column] === null);
    if (!isSame) change += 1;
  }
  return { add: theirs.size, change, remove };
}
