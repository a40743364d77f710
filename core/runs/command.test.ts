import fc from 'fast-check';
import { expect, it } from 'vitest';
import { COMMAND_STATES, type Command, type CommandState, commandSchema, isCommandOver } from '../../protocol/runs.ts';
import { COMMAND_AFTER, COMMAND_LIFE_MS, type CommandEvent, afterCommandEvent, eventOf, expired } from './command.ts';

const AT = '2026-11-23T10:00:00.000Z';
const EVENTS = Object.keys(COMMAND_AFTER.PENDING) as CommandEvent[];
const command: Command = {
  commandId: '01890000-0000-7000-8000-000000000001',
  storeId: 'S1',
  replicaId: 'S1:r',
  kind: 'repair',
  components: [],
  preview: false,
  takeOver: false,
  reason: null,
  by: 'somebody',
  state: 'PENDING',
  createdAt: AT,
  expiresAt: new Date(Date.parse(AT) + COMMAND_LIFE_MS).toISOString(),
  deliveredAt: null,
  finishedAt: null,
  result: null,
  failure: null,
};

it('every state is reached, what happens twice happens once, and an end is an end', () => {
  const reached = new Set<CommandState>();
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...EVENTS), { maxLength: 8 }), (events) => {
      let now = command;
      for (const event of events) {
        const after = afterCommandEvent(now, event, { at: AT });
        expect(after.state).toBe(COMMAND_AFTER[now.state][event]);
        expect(afterCommandEvent(after, event, { at: '2026-11-24T10:00:00.000Z' })).toEqual(after);
        if (now.state === 'DONE' || now.state === 'FAILED') expect(after).toBe(now);
        expect(isCommandOver(after)).toBe(after.finishedAt !== null);
        expect(commandSchema.parse(after)).toEqual(after);
        reached.add((now = after).state);
      }
    }),
    { numRuns: 1_000, seed: 3 },
  );
  expect([...reached, 'PENDING'].sort()).toEqual([...COMMAND_STATES, ...(reached.has('PENDING') ? ['PENDING'] : [])].sort());
});

it('expires when it was never taken up in a week, and its report says how it ended', () => {
  const late = Date.parse(command.expiresAt);
  expect(expired(command, late - 1)).toBe(command);
  expect(expired(command, late)).toMatchObject({ state: 'EXPIRED' });
  expect(expired({ ...command, state: 'RUNNING' }, late)).toMatchObject({ state: 'RUNNING' });
  const failure = { code: 'STORAGE_FULL', message: 'full' };
  const report = { commandId: command.commandId, state: 'FAILED' as const, result: null, failure };
  expect(afterCommandEvent(command, eventOf(report), { at: AT, report })).toMatchObject({ state: 'FAILED', failure, finishedAt: AT });
});
