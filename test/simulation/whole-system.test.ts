import { expect, test, vi } from 'vitest';
import { WHOLE_SYSTEM_SERIES } from './world/budget.ts';
import { CloudHistory } from './world/cloud-history.ts';
import { type Scenario, type Step, runSeries } from './world/histories.ts';
import { Random } from './world/random.ts';
import { StoreDoor } from './world/store-door.ts';
import { StoreHistory } from './world/store-history.ts';

vi.mock(import('../../codec/pack.ts'), async (original) => ({ ...(await original()), ...(await import('./world/stored-codec.ts')) }));

/**
 * Histories of the whole system: head office as in `head-office.test.ts`, and stores with the real agent and a real
 * SQLite replica (`world/store-history.ts`). Every invariant of feeds and replicas is checked after every step and before
 * every call of an agent. In the end faults stop, and every store becomes complete and right.
 */
const STORES = ['S0', 'S1'];
const FAULT_RATES = [0, 0.05, 0.15, 0.3];
const CLOUD = { edit: 10, deliver: 7, compact: 4, seal: 2, release: 2, wait: 1, leap: 1, restart: 1 };
/** What may happen between two calls of an agent: weeks do not pass in a run. */
const MEANWHILE = ['edit', 'edit', 'deliver', 'deliver', 'compact', 'compact', 'seal', 'release', 'restart', 'move'];

class WholeSystem {
  readonly cloud: CloudHistory;
  readonly #door: StoreDoor;
  readonly #stores: StoreHistory[] = [];

  private constructor(random: Random) {
    this.cloud = new CloudHistory(random.of(FAULT_RATES));
    this.#door = new StoreDoor(this.cloud);
  }

  static async start(random: Random): Promise<WholeSystem> {
    const system = new WholeSystem(random);
    const { cloud } = system;
    const door = system.#door;
    const deps = { cloud, door, faultRate: random.of(FAULT_RATES), meanwhile: (step: Random) => system.#step(step.of(MEANWHILE), step) };
    for (const storeId of STORES) {
      await door.open(storeId, { zone: random.of(['z0', 'z1', null]), edition: random.chance(0.3) ? 'clienteling' : 'core' });
      system.#stores.push(new StoreHistory(storeId, deps));
    }
    return system;
  }

  async #step(kind: string, random: Random): Promise<void> {
    const store = random.of(this.#stores);
    switch (kind) {
      case 'sync':
        await store.sync(random);
        return;
      case 'move':
        return this.#door.move(store.storeId, random);
      case 'copy':
        return store.keepCopy();
      case 'restore':
        return store.restore(random);
      case 'spoil':
        return store.spoil(random);
      case 'probe':
        return this.cloud.undisturbed(() => store.probe());
      default:
        return this.cloud.step(kind, random);
    }
  }

  async step({ kind, seed }: Step): Promise<void> {
    await this.#step(kind, new Random(seed));
    await this.cloud.check();
    for (const store of this.#stores) store.check();
  }

  async end(): Promise<void> {
    await this.cloud.calm();
    for (const store of this.#stores) await store.converge();
    await this.cloud.checkEnd();
  }

  remove(): void {
    for (const store of this.#stores) store.remove();
  }
}

const scenario: Scenario = {
  kinds: { ...CLOUD, sync: 9, move: 1, copy: 1, restore: 1, spoil: 1, probe: 1 },
  length: 30,
  async run(seed, steps) {
    const system = await WholeSystem.start(new Random(seed));
    try {
      for (const step of steps) await system.step(step);
      await system.end();
    } finally {
      system.remove();
    }
  },
};

test(`${WHOLE_SYSTEM_SERIES.histories} histories of the whole system hold their invariants`, async () => {
  await expect(runSeries(scenario, WHOLE_SYSTEM_SERIES)).resolves.toBeUndefined();
});
