import type { Clock } from '../../core/ports/clock.ts';

/**
 * The messages of one call, in order. What is asked for twice, because two stores wait for one feed, is done once. Work is begun only
 * while there is time for a large feed; the rest is asked for again, so that nothing is given up because of what came in one batch with it.
 */
export interface Asked {
  readonly messageId: string;
  readonly body: string;
}

export interface WorkOffDeps {
  readonly clock: Clock;
  readonly run: (body: string) => Promise<void>;
  readonly askAgain: (body: string) => Promise<void>;
  readonly failed: (error: unknown) => void;
  /** When nothing is begun any more, milliseconds. */
  readonly until: number;
}

/** The messages that the queue has to deliver again. */
export async function workOff({ clock, run, askAgain, failed, until }: WorkOffDeps, messages: readonly Asked[]): Promise<string[]> {
  const again: string[] = [];
  for (const [body, same] of Map.groupBy(messages, (message) => message.body)) {
    try {
      await (clock.now() < until ? run(body) : askAgain(body));
    } catch (error) {
      failed(error);
      again.push(...same.map(({ messageId }) => messageId));
    }
  }
  return again;
}
