import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { UPLOAD_SERIES } from './world/budget.ts';
import { type Scenario, runSeries } from './world/histories.ts';
import { Random } from './world/random.ts';
import { UploadHistory } from './world/upload-history.ts';

vi.mock(import('../../codec/pack.ts'), async (original) => ({ ...(await original()), ...(await import('./world/stored-codec.ts')) }));

/** In memory where there is such a folder: power cuts are not of this simulation, and a disk waits at every commit. */
const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'storeline-up-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Histories of uploads: what `world/upload-history.ts` says may happen, in any order. */
const scenario: Scenario = {
  kinds: {
    record: 28,
    redeem: 8,
    push: 16,
    apply: 16,
    crowd: 1,
    release: 6,
    kill: 2,
    office: 4,
    sweep: 2,
    lose: 4,
    backup: 2,
    restore: 2,
    copy: 2,
    break: 2,
    replace: 2,
  },
  length: 20,
  async run(seed, steps) {
    const random = new Random(seed);
    const history = new UploadHistory(join(folder, String(seed)), { rate: random.of([0, 0.05, 0.15, 0.3]), random });
    try {
      for (const step of steps) {
        await history.step(step.kind, new Random(step.seed));
        history.check();
      }
      await history.calm();
      history.checkEnd();
    } finally {
      history.close();
    }
  },
};

test(`INV-10, INV-11, INV-12, INV-13, INV-15, INV-16, INV-17, INV-18, INV-19, INV-48: ${UPLOAD_SERIES.histories} histories of uploads hold them`, async () => {
  await expect(runSeries(scenario, UPLOAD_SERIES)).resolves.toBeUndefined();
});
