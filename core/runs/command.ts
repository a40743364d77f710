import { type Command, type CommandReport, type CommandState, isCommandOver } from '../../protocol/runs.ts';

/**
 * The life of a manual sync that head office asks for. Every cell stands in the table. Delivering twice, or hearing the same
 * report twice, changes nothing; what is over stays over, except that a store that was slow may still say how it ended.
 */
export type CommandEvent = 'DELIVER' | 'REPORT_RUNNING' | 'REPORT_DONE' | 'REPORT_FAILED' | 'REPORT_CANCELLED' | 'CANCEL' | 'EXPIRE';

export const COMMAND_AFTER: Readonly<Record<CommandState, Readonly<Record<CommandEvent, CommandState>>>> = {
  PENDING: live({ DELIVER: 'DELIVERED', EXPIRE: 'EXPIRED', CANCEL: 'CANCELLED' }),
  DELIVERED: live({ DELIVER: 'DELIVERED', EXPIRE: 'EXPIRED', CANCEL: 'CANCELLED' }),
  // It has begun: the store says how it ends.
  RUNNING: live({ DELIVER: 'RUNNING', EXPIRE: 'RUNNING', CANCEL: 'CANCELLED' }),
  DONE: over('DONE'),
  FAILED: over('FAILED'),
  // The store had begun before it heard of it.
  CANCELLED: { ...over('CANCELLED'), REPORT_DONE: 'DONE', REPORT_FAILED: 'FAILED' },
  EXPIRED: { ...over('EXPIRED'), REPORT_DONE: 'DONE', REPORT_FAILED: 'FAILED' },
};

function live(own: Record<'DELIVER' | 'EXPIRE' | 'CANCEL', CommandState>): Record<CommandEvent, CommandState> {
  return { ...own, REPORT_RUNNING: 'RUNNING', REPORT_DONE: 'DONE', REPORT_FAILED: 'FAILED', REPORT_CANCELLED: 'CANCELLED' };
}

function over(state: CommandState): Record<CommandEvent, CommandState> {
  return {
    DELIVER: state,
    REPORT_RUNNING: state,
    REPORT_DONE: state,
    REPORT_FAILED: state,
    REPORT_CANCELLED: state,
    CANCEL: state,
    EXPIRE: state,
  };
}

/** A store that is switched off over a weekend still gets it; a week later nobody remembers why. */
export const COMMAND_LIFE_MS = 7 * 86_400_000;

interface CommandMoment {
  /** ISO 8601. */
  readonly at: string;
  readonly report?: CommandReport;
}

export function afterCommandEvent(before: Command, event: CommandEvent, { at, report }: CommandMoment): Command {
  const state = COMMAND_AFTER[before.state][event];
  if (state === before.state && (event !== 'DELIVER' || before.deliveredAt !== null || isCommandOver(before))) return before;
  const after = { ...before, state };
  if (event === 'DELIVER') return { ...after, deliveredAt: before.deliveredAt ?? at };
  const finishedAt = isCommandOver(after) ? at : null;
  return { ...after, finishedAt, result: report?.result ?? before.result, failure: report?.failure ?? before.failure };
}

export function eventOf({ state }: CommandReport): CommandEvent {
  return `REPORT_${state}`;
}

/** What was never taken up in its time is never taken up. */
export function expired(command: Command, now: number): Command {
  return now < Date.parse(command.expiresAt) ? command : afterCommandEvent(command, 'EXPIRE', { at: new Date(now).toISOString() });
}
