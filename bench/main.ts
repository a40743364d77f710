import { parseArgs } from 'node:util';
import { benchAdmission } from './admission.ts';
import { benchCold } from './cold.ts';
import { benchDelta } from './delta.ts';
import { benchFleet } from './fleet.ts';
import { benchFresh } from './fresh.ts';
import { benchManual } from './manual.ts';
import { benchOutbox } from './outbox.ts';
import { benchRepair } from './repair.ts';
import { benchScale } from './scale.ts';
import type { BenchResult } from './stats.ts';
import { benchUp } from './up.ts';
import { benchVerify } from './verify.ts';

/** `npm run -s bench -- <name> [--rows N] [--json]`. */
type Bench = (options: { rows: number; say: (line: string) => void }) => Promise<BenchResult>;
const benches: Readonly<Record<string, { run: Bench; rows: number }>> = {
  fresh: { run: benchFresh, rows: 300_000 },
  delta: { run: benchDelta, rows: 300_000 },
  fleet: { run: benchFleet, rows: 50_000 },
  admission: { run: benchAdmission, rows: 20_000 },
  scale: { run: benchScale, rows: 3_500_000 },
  up: { run: benchUp, rows: 1_000 },
  outbox: { run: benchOutbox, rows: 1_050_000 },
  cold: { run: benchCold, rows: 1 },
  verify: { run: benchVerify, rows: 1_000_000 },
  repair: { run: benchRepair, rows: 1_000_000 },
  manual: { run: benchManual, rows: 1_000_000 },
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rows: { type: 'string' }, json: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
});
const bench = benches[positionals[0] ?? ''];
const rows = values.rows === undefined ? bench?.rows : Number(values.rows);
if (bench === undefined || rows === undefined || !Number.isSafeInteger(rows) || rows <= 0) {
  process.stderr.write(`Usage: npm run -s bench -- <${Object.keys(benches).join(' | ')}> [--rows <number>] [--json]\n`);
  process.exitCode = values.help ? 0 : 2;
} else {
  const result = await bench.run({ rows, say: (line) => process.stderr.write(`${line}\n`) });
  process.stdout.write(values.json ? `${JSON.stringify(result)}\n` : `${JSON.stringify(result, null, 2)}\n`);
}
