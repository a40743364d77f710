/** Time that passes when nobody has anything left to do now: what happens next is whatever was put off to the earliest moment. */
export class VirtualTime {
  now: number;
  readonly #later: Later[] = [];
  #order = 0;
  #busy = 0;

  constructor(now: number) {
    this.now = now;
  }

  get clock() {
    // Clocks count whole milliseconds.
    return { now: () => Math.floor(this.now) };
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.#push({ at: this.now + Math.max(0, ms), order: (this.#order += 1), wake: resolve }));
  }

  /** Real work: time stands still while it goes on. */
  async work<T>(run: () => Promise<T>): Promise<T> {
    this.#busy += 1;
    try {
      return await run();
    } finally {
      this.#busy -= 1;
    }
  }

  /** Until nobody sleeps any more. */
  async run(): Promise<void> {
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      if (this.#busy > 0) continue;
      const next = this.#pop();
      if (next === undefined) return;
      this.now = Math.max(this.now, next.at);
      next.wake();
    }
  }

  /** A heap: the earliest first, and of one moment who came first. */
  #push(one: Later): void {
    const heap = this.#later;
    heap.push(one);
    for (let at = heap.length - 1; at > 0;) {
      const up = (at - 1) >> 1;
      if (!isBefore(heap[at], heap[up])) return;
      [heap[at], heap[up]] = [heap[up] as Later, heap[at] as Later];
      at = up;
    }
  }

  #pop(): Later | undefined {
    const heap = this.#later;
    const [first] = heap;
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    heap[0] = last;
    for (let at = 0; ;) {
      const [left, right] = [2 * at + 1, 2 * at + 2];
      const least = [left, right].reduce((best, child) => (child < heap.length && isBefore(heap[child], heap[best]) ? child : best), at);
      if (least === at) return first;
      [heap[at], heap[least]] = [heap[least] as Later, heap[at] as Later];
      at = least;
    }
  }
}

interface Moment {
  readonly at: number;
  readonly order: number;
}

interface Later extends Moment {
  readonly wake: () => void;
}

function isBefore(a: Moment | undefined, b: Moment | undefined): boolean {
  if (a === undefined || b === undefined) return false;
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
