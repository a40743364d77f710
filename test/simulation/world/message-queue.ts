import type { Random } from './random.ts';

/**
 * A queue at its worst: what is sent is lost, comes twice, comes in any order, days late, or again a week after it was dealt
 * with. Whoever receives a message and does not delete it gets it again.
 */
export interface Message {
  readonly id: number;
  readonly body: string;
}

interface Waiting extends Message {
  readonly dueAt: number;
}

const MINUTE_MS = 60_000;
export const WEEK_MS = 7 * 86_400_000;
/** A function that works on a message is given this long before another gets it. */
const VISIBILITY_MS = 2 * MINUTE_MS;

interface Luck {
  readonly random: Random;
  /** Whether this one goes wrong. */
  readonly chance: () => boolean;
}

export class MessageQueue {
  #waiting: Waiting[] = [];
  #ids = 0;

  get size(): number {
    return this.#waiting.length;
  }

  send(body: string, now: number, { random, chance }: Luck): void {
    if (chance()) return;
    const copies = chance() ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) {
      this.#ids += 1;
      this.#waiting.push({ id: this.#ids, body, dueAt: now + (chance() ? lateBy(random) : 0) });
    }
  }

  /** null: nothing is due. */
  receive(now: number, random: Random): Message | null {
    const due = this.#waiting.filter(({ dueAt }) => dueAt <= now);
    if (due.length === 0) return null;
    const message = random.of(due);
    this.#wait(message, now + VISIBILITY_MS);
    return message;
  }

  /** Dealt with; where the deletion is lost it comes again. */
  delete(message: Message, now: number, { random, chance }: Luck): void {
    if (!this.#waiting.some(({ id }) => id === message.id)) return;
    if (chance()) this.#wait(message, now + lateBy(random));
    else this.#waiting = this.#waiting.filter(({ id }) => id !== message.id);
  }

  #wait(message: Message, dueAt: number): void {
    this.#waiting = [...this.#waiting.filter(({ id }) => id !== message.id), { id: message.id, body: message.body, dueAt }];
  }
}

function lateBy(random: Random): number {
  return random.chance(0.5) ? random.below(60 * MINUTE_MS) : WEEK_MS + random.below(MINUTE_MS);
}
