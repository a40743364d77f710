import type { WrongCodes } from '../../../core/ports/wrong-codes.ts';

export class MemoryWrongCodes implements WrongCodes {
  readonly #counts = new Map<string, { hour: string; wrong: number }>();

  count(group: string, hour: string): Promise<number> {
    return Promise.resolve(this.#count(group, hour));
  }

  note(group: string, hour: string): Promise<void> {
    this.#counts.set(group, { hour, wrong: this.#count(group, hour) + 1 });
    return Promise.resolve();
  }

  #count(group: string, hour: string): number {
    const known = this.#counts.get(group);
    return known?.hour === hour ? known.wrong : 0;
  }
}
