import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { constants, zstdCompressSync } from 'node:zlib';
import { customer, floorRow, sortedIndexes } from './floor/records.ts';
import { customerChange, range } from './records.ts';
import { AGENT_FLAGS, SeededCloud, runNode } from './seeded-cloud.ts';
import { type BenchResult, median, round } from './stats.ts';

/**
 * How fast is a store's fresh sync, against the same work without the product?
 *
 * R: rows in memory into the same table with the same three indexes, nothing durable. F: download → sha256 → zstd → parse →
 * insert → index. Ours: the agent's whole run over HTTP from the local cloud, with per-chunk sha256, digests of every range
 * compared with the manifest, certificates from head office, cursors, and everything durable at the end; heap capped at 256 MB.
 * Interleaved, medians. Only ratios of one run mean something.
 */
const ROUNDS = 5;
const FLOOR_CHUNK = 10_000;
/** Measured by us on the same records elsewhere (see the performance notes): rows a second. */
const PEERS = {
  'zero-cache (server side, no indexes)': 196_000,
  WatermelonDB: 32_000,
  'PowerSync client': 18_900,
  'RxDB in memory': 7_800,
  PouchDB: 5_000,
};

interface FloorRun {
  readonly rowsPerSecond: number;
  readonly peakMb: number;
}

export async function benchFresh({ rows, say }: { rows: number; say: (line: string) => void }): Promise<BenchResult> {
  const work = mkdtempSync(join(tmpdir(), 'storeline-floor-'));
  say(`building ${rows} records for the floors`);
  const source = buildFloors(work, rows);
  const { child, base } = await serve(join(work, 'wire'));
  say('filling the local cloud');
  const cloud = await SeededCloud.start();
  try {
    await cloud.append(
      'Customer@org',
      range(rows, (index) => customerChange(index)),
    );
    const snapshot = await cloud.compact('Customer@org');
    // The first store of an organization also makes the other, empty feeds; that is not what is measured.
    await oneFresh(cloud, 'warm-up', rows);
    const raw: FloorRun[] = [];
    const floor: FloorRun[] = [];
    const ours: { rowsPerSecond: number; peakMb: number; bytes: number }[] = [];
    for (let turn = 0; turn < ROUNDS; turn += 1) {
      settleDisk();
      raw.push(JSON.parse((await runNode(['bench/floor/raw-insert.ts', source, join(work, 'r.sqlite')])).stdout) as FloorRun);
      settleDisk();
      floor.push(JSON.parse((await runNode(['bench/floor/pipeline.ts', base, join(work, 'f.sqlite')])).stdout) as FloorRun);
      settleDisk();
      const fresh = await oneFresh(cloud, `bench-${turn}`, rows);
      // The floors remove their files as well.
      rmSync(fresh.data, { recursive: true });
      ours.push(fresh);
      say(`round ${turn + 1}: R ${perSecond(raw, turn)}, F ${perSecond(floor, turn)}, ours ${perSecond(ours, turn)} rows/s`);
    }
    const rate = (runs: readonly { rowsPerSecond: number }[]) => Math.round(median(runs.map((run) => run.rowsPerSecond)));
    const [r, f, o] = [rate(raw), rate(floor), rate(ours)];
    return {
      name: 'fresh',
      ours: o,
      limit: f,
      ratio: round(o / f),
      unit: 'rows/s',
      rows,
      rawInsert: r,
      ratioToRawInsert: round(o / r),
      bytesPerRow: round(median(ours.map((run) => run.bytes)) / rows, 1),
      peakMb: Math.max(...ours.map((run) => run.peakMb)),
      chunks: snapshot?.chunks,
      rounds: {
        rawInsert: raw.map((run) => Math.round(run.rowsPerSecond)),
        floor: floor.map((run) => Math.round(run.rowsPerSecond)),
        ours: ours.map((run) => Math.round(run.rowsPerSecond)),
      },
      peersRowsPerSecond: PEERS,
    };
  } finally {
    child.kill();
    await cloud.close();
    rmSync(work, { recursive: true, force: true });
  }
}

/** The agent as a store runs it, its heap capped. */
export async function oneFresh(
  cloud: SeededCloud,
  storeId: string,
  rows: number,
): Promise<{ rowsPerSecond: number; peakMb: number; bytes: number; data: string }> {
  const data = await cloud.enrol(storeId);
  const run = await runNode(['agent/main.ts', 'logon', '--data', data, '--wait', '--json'], AGENT_FLAGS);
  const { complete, seconds, transfer } = JSON.parse(run.stdout) as { complete: boolean; seconds: number; transfer: { bytes: number } };
  if (!complete) throw new Error('the fresh sync is not complete');
  return { rowsPerSecond: rows / seconds, peakMb: run.peakMb, bytes: transfer.bytes, data };
}

/** What an earlier run left to be written must not slow down the next one. */
function settleDisk(): void {
  spawnSync('sync');
}

function buildFloors(work: string, rows: number): string {
  const wire = join(work, 'wire');
  mkdirSync(wire);
  const manifest: { name: string; sha256: string }[] = [];
  const lines: string[] = [];
  const indexes = sortedIndexes(rows);
  for (let start = 0; start < rows; start += FLOOR_CHUNK) {
    const chunk = indexes.slice(start, start + FLOOR_CHUNK).map((index) => floorRow(customer(index)));
    for (const row of chunk) lines.push(JSON.stringify(row));
    const packed = zstdCompressSync(JSON.stringify(chunk), { params: { [constants.ZSTD_c_compressionLevel]: 3 } });
    const name = `chunk-${String(manifest.length).padStart(4, '0')}`;
    writeFileSync(join(wire, name), packed);
    manifest.push({ name, sha256: createHash('sha256').update(packed).digest('hex') });
  }
  writeFileSync(join(wire, 'manifest.json'), JSON.stringify(manifest));
  const source = join(work, 'rows.ndjson');
  writeFileSync(source, `${lines.join('\n')}\n`);
  return source;
}

async function serve(folder: string): Promise<{ child: ChildProcess; base: string }> {
  const child = spawn(process.execPath, [new URL('floor/serve.ts', import.meta.url).pathname, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [port] = (await once(child.stdout, 'data')) as [Buffer];
  return { child, base: `http://127.0.0.1:${port.toString().trim()}` };
}

function perSecond(runs: readonly { rowsPerSecond: number }[], turn: number): number {
  return Math.round(runs[turn]?.rowsPerSecond ?? 0);
}
