import type { LookupAllowance } from '../../../core/ports/lookup-allowance.ts';

export class MemoryLookupAllowance implements LookupAllowance {
  readonly #taken = new Map<string, { hour: string; taken: number }>();

  take(storeId: string, hour: string, most: number): Promise<boolean> {
    const before = this.#taken.get(storeId);
    const taken = before?.hour === hour ? before.taken : 0;
    if (taken >= most) return Promise.resolve(false);
    this.#taken.set(storeId, { hour, taken: taken + 1 });
    return Promise.resolve(true);
  }
}
