import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { zstdDecompress } from 'node:zlib';
import { FloorTable } from './table.ts';

/** F: download → sha256 → zstd → parse → insert → index, and nothing else. `node pipeline.ts <base URL> <database>`. */
const [base = '', database = ''] = process.argv.slice(2);
const unpack = promisify(zstdDecompress);
const AHEAD = 3;

const started = performance.now();
const chunks = (await (await fetch(`${base}/manifest.json`)).json()) as { name: string; sha256: string }[];
let bytes = 0;
const load = async (chunk: { name: string; sha256: string }): Promise<Buffer> => {
  const packed = Buffer.from(await (await fetch(`${base}/${chunk.name}`)).arrayBuffer());
  bytes += packed.length;
  if (createHash('sha256').update(packed).digest('hex') !== chunk.sha256) throw new Error('sha256');
  return unpack(packed, { chunkSize: 1 << 22 });
};
const queue: Promise<Buffer>[] = [];
let next = 0;
const fill = () => {
  while (queue.length < AHEAD && next < chunks.length) queue.push(load(chunks[next++] as { name: string; sha256: string }));
};
const table = new FloorTable(database);
fill();
for (let head = queue.shift(); head !== undefined; head = queue.shift()) {
  const text = await head;
  fill();
  await new Promise((resolve) => setImmediate(resolve));
  table.put(JSON.parse(text.toString()) as (string | number)[][]);
}
const count = table.end();
const seconds = (performance.now() - started) / 1_000;
table.remove();
process.stdout.write(
  `${JSON.stringify({ rows: count, seconds, rowsPerSecond: count / seconds, bytesPerRow: bytes / count, peakMb: process.resourceUsage().maxRSS / 1_024 })}\n`,
);
process.exit();
