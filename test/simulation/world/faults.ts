import { SyncError } from '../../../protocol/sync-error.ts';

/**
 * The faults a port may show, decided by a seeded source so that a failing history can be run again:
 * - `refuse`: the call fails and did nothing (throttled, connection refused)
 * - `lose`: the call worked and its answer is lost (connection cut)
 * - `hold`: the call does not get through until it is let go; `stall`: it worked, and its answer does not come until then.
 *   A caller that is let go much later is a zombie, one that is never let go was killed at that call.
 * Calls also take turns with others: every call yields, so two functions at work at once interleave.
 */
export type Fault = 'none' | 'refuse' | 'lose' | 'hold' | 'stall';

export class Faults {
  readonly #next: (call: string) => Fault;
  #held: (() => void)[] = [];
  /** Calls made, by name. */
  readonly calls = new Map<string, number>();

  constructor(next: (call: string) => Fault) {
    this.#next = next;
  }

  static none(): Faults {
    return new Faults(() => 'none');
  }

  get held(): number {
    return this.#held.length;
  }

  /** Lets one held call go on. */
  release(index: number): void {
    const [go] = this.#held.splice(index, 1);
    go?.();
  }

  /** Whoever waits for a held call was killed there. */
  killHeld(): void {
    this.#held = [];
  }

  async strike<T>(call: string, run: () => T | Promise<T>): Promise<T> {
    this.calls.set(call, (this.calls.get(call) ?? 0) + 1);
    const fault = this.#next(call);
    await (fault === 'hold' ? this.#hold() : Promise.resolve());
    if (fault === 'refuse') throw new SyncError('UNAVAILABLE', `${call}: refused by the simulation`);
    const result = await run();
    await (fault === 'stall' ? this.#hold() : Promise.resolve());
    if (fault === 'lose') throw new SyncError('UNAVAILABLE', `${call}: answer lost by the simulation`);
    return result;
  }

  #hold(): Promise<void> {
    return new Promise((resolve) => {
      this.#held.push(resolve);
    });
  }
}

/** mulberry32: small, seeded, good enough to choose faults with. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
