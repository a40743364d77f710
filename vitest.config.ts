import { defineConfig } from 'vitest/config';

/** One project per level: what a test needs is said by where it stands. Run one with `npx vitest run --project unit`. */
const MINUTE_MS = 60_000;

export default defineConfig({
  test: {
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
          testTimeout: 15 * MINUTE_MS,
          hookTimeout: 5 * MINUTE_MS,
          // Whole clouds and real processes: one after the other.
          fileParallelism: false,
        },
      },
    ],
  },
});
