import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** One project per level: what a test needs is said by where it stands. Run one with `npx vitest run --project unit`. */
const MINUTE_MS = 60_000;

/** What takes longest begins first, so that no core waits for it at the end. */
const LONGEST_FIRST = ['simulation', 'integration', 'infra', 'conformance', 'unit'];
const rank = ({ project }: TestSpecification) => LONGEST_FIRST.indexOf(project.name);
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}

/** Real CDK processes against a stand-in of AWS, minutes of them: `npm run -s test:deploy`, and not part of `npm test`. */
const DEPLOYMENT = 'test/integration/org-deploy.test.ts';

// The programs that tests start are compiled once and not hundreds of times.
process.env['NODE_COMPILE_CACHE'] ??= join(import.meta.dirname, 'node_modules', '.cache', 'compiled');

export default defineConfig({
  test: {
    // One more than there are cores: half of a test with real processes is waiting for them.
    maxWorkers: availableParallelism() + 1,
    sequence: { sequencer: LongestFirst },
    reporters: process.env['CI'] === undefined ? ['default'] : ['verbose'],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['{protocol,core,codec,functions,agent,cli,imports,local,infra,bench}/**/*.test.ts', 'test/*.test.ts'],
          testTimeout: MINUTE_MS,
        },
      },
      { test: { name: 'conformance', include: ['test/conformance/**/*.test.ts'], testTimeout: MINUTE_MS, hookTimeout: MINUTE_MS } },
      { test: { name: 'simulation', include: ['test/simulation/**/*.test.ts'], testTimeout: 20 * MINUTE_MS } },
      { test: { name: 'infra', include: ['test/infra/**/*.test.ts'], testTimeout: 3 * MINUTE_MS, hookTimeout: 3 * MINUTE_MS } },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          exclude: [DEPLOYMENT],
          testTimeout: 15 * MINUTE_MS,
          hookTimeout: 5 * MINUTE_MS,
        },
      },
      { test: { name: 'deploy', include: [DEPLOYMENT], testTimeout: 15 * MINUTE_MS, hookTimeout: 5 * MINUTE_MS } },
    ],
  },
});
