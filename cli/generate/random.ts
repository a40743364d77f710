/**
 * Randomness that depends on nothing but a seed and a name: `draw(seed, 'bill', 17)` is the same everywhere and always,
 * so a record can be made without making the ones before it.
 */
export class Draw {
  #state: number;

  constructor(...parts: readonly (string | number)[]) {
    let hash = 0x811c9dc5;
    for (const character of parts.join('|')) hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193);
    this.#state = hash >>> 0;
  }

  /** In [0, 1). mulberry32. */
  unit(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** Whole number in [0, count). */
  below(count: number): number {
    return Math.floor(this.unit() * count);
  }

  between(from: number, to: number): number {
    return from + this.below(to - from + 1);
  }

  chance(probability: number): boolean {
    return this.unit() < probability;
  }

  pick<T>(list: readonly T[]): T {
    const chosen = list[this.below(list.length)];
    if (chosen === undefined) throw new RangeError('pick from an empty list');
    return chosen;
  }

  /** Hex digits. */
  hex(length: number): string {
    let text = '';
    while (text.length < length) text += this.below(0x1_0000_0000).toString(16).padStart(8, '0');
    return text.slice(0, length);
  }
}
