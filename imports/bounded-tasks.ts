/**
 * A few tasks at once. Whoever adds one waits while as many run as may; the first failure is thrown to whoever adds or
 * waits next, and nothing is started after it.
 */
export class BoundedTasks {
  readonly #max: number;
  readonly #running = new Set<Promise<void>>();
  #failure: { readonly error: unknown } | null = null;

  constructor(max: number) {
    this.#max = max;
  }

  async add(task: () => Promise<void>): Promise<void> {
    while (this.#running.size >= this.#max && this.#failure === null) await Promise.race(this.#running);
    this.#throwFailure();
    const running: Promise<void> = this.#run(task).finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  /** Until all have ended well, or one has failed. */
  async drain(): Promise<void> {
    while (this.#running.size > 0 && this.#failure === null) await Promise.race(this.#running);
    this.#throwFailure();
  }

  async #run(task: () => Promise<void>): Promise<void> {
    try {
      await task();
    } catch (error) {
      this.#failure ??= { error };
    }
  }

  #throwFailure(): void {
    if (this.#failure !== null) throw this.#failure.error;
  }
}
