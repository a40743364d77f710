import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { writeBundles } from '../infra/bundles.ts';
import { FUNCTION_NAMES } from '../infra/constructs/functions.ts';
import { runNode } from './seeded-cloud.ts';
import { type BenchResult, median, round } from './stats.ts';

/**
 * What does a cold start of each function load, and for how long? Against a bundle that holds the database client and nothing
 * else, which no function can do without. Each import in a process of its own; compiling and running the module, not starting Node.
 */
const ROUNDS = 5;
const VARIABLES = [
  'RECORDS_TABLE',
  'FEEDS_TABLE',
  'STORES_TABLE',
  'AUDIT_TABLE',
  'SNAPSHOTS_BUCKET',
  'COMPACTION_QUEUE_URL',
  'UPLOADS_TABLE',
  'UPLOADS_BUCKET',
  'DOORBELL_QUEUE_URL',
  'RESCOPE_QUEUE_URL',
  'FRESH_WORKFLOW_ARN',
  'OIDC_ISSUER',
  'OIDC_AUDIENCE',
];
const ORGANIZATION = { name: 'demo', displayName: 'D', region: 'eu-west-2', timeZone: 'UTC', currency: 'GBP' };

export async function benchCold({ say }: { say: (line: string) => void }): Promise<BenchResult> {
  const folder = mkdtempSync(join(tmpdir(), 'storeline-cold-'));
  try {
    writeBundles(FUNCTION_NAMES, folder);
    const floor = join(folder, 'floor.mjs');
    buildSync({
      stdin: {
        contents: "import '../functions/aws/clients.ts';export{documentClient}from'../functions/aws/clients.ts';",
        resolveDir: import.meta.dirname,
      },
      outfile: floor,
      bundle: true,
      platform: 'node',
      format: 'esm',
      minify: true,
      banner: { js: "import{createRequire as makeRequire}from'node:module';const require=makeRequire(import.meta.url);" },
    });
    const limit = await importMs(folder, floor);
    const functions: Record<string, object> = {};
    const all: number[] = [];
    for (const name of FUNCTION_NAMES) {
      const file = join(folder, name, 'index.mjs');
      const ms = await importMs(folder, file);
      all.push(ms);
      functions[name] = { bytes: statSync(file).size, ms };
      say(`${name}: ${statSync(file).size} bytes, ${ms} ms`);
    }
    const ours = median(all);
    return {
      name: 'cold',
      ours,
      limit,
      ratio: round(ours / limit),
      unit: 'ms',
      rows: FUNCTION_NAMES.length,
      slowest: Math.max(...all),
      functions,
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function importMs(folder: string, file: string): Promise<number> {
  const script = join(folder, 'import.mjs');
  const environment = Object.fromEntries([...VARIABLES.map((name) => [name, 'x']), ['ORGANIZATION', JSON.stringify(ORGANIZATION)]]);
  writeFileSync(
    script,
    `Object.assign(process.env,${JSON.stringify({ ...environment, AWS_REGION: 'eu-west-2' })});const t=performance.now();await import(process.argv[2]);console.log(performance.now()-t);`,
  );
  const times: number[] = [];
  for (let turn = 0; turn < ROUNDS; turn += 1) times.push(Number((await runNode([script, file], [])).stdout));
  return round(median(times), 1);
}
