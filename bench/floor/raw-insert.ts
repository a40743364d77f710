import { readFileSync } from 'node:fs';
import { FloorTable } from './table.ts';

/** R: rows that are already in memory into the table, with its three indexes. `node raw-insert.ts <rows.ndjson> <database>`. */
const [source = '', database = ''] = process.argv.slice(2);
const rows = readFileSync(source, 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as (string | number)[]);
const started = performance.now();
const table = new FloorTable(database);
table.put(rows);
const count = table.end();
const seconds = (performance.now() - started) / 1_000;
table.remove();
process.stdout.write(
  `${JSON.stringify({ rows: count, seconds, rowsPerSecond: count / seconds, peakMb: process.resourceUsage().maxRSS / 1_024 })}\n`,
);
