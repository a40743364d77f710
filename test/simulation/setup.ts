import { vi } from 'vitest';
import type * as codecModule from '../../codec/pack.ts';

/** Histories run on stored bytes instead of packed ones; `SIM_CODEC=zstd` runs them on the real codec. */
vi.mock('../../codec/pack.ts', async (original) => {
  const codec = await original<typeof codecModule>();
  return process.env['SIM_CODEC'] === 'zstd' ? codec : { ...codec, ...(await import('./world/stored-codec.ts')) };
});
