import { beforeEach, describe, expect, test } from 'vitest';
import { v7 as uuidv7 } from 'uuid';
import type { FreshRecord, RunStore } from '../../core/ports/run-store.ts';
import { startRun } from '../../core/runs/run.ts';
import { limits } from '../../protocol/limits.ts';
import type { Command, Run } from '../../protocol/runs.ts';

/** What any store of runs does. `make` gives one with nothing in it for these stores. */
export function runStoreSuite(make: () => RunStore): void {
  let runs: RunStore;
  let storeId: string;
  const START = Date.parse('2026-11-23T10:00:00.000Z');
  const at = (ms: number) => new Date(START + ms).toISOString();
  const idAt = (ms: number) => uuidv7({ msecs: START + ms });

  beforeEach(() => {
    runs = make();
    storeId = `S-${uuidv7()}`;
  });

  const run = (ms: number, more: Partial<Run> = {}): Run => ({
    ...startRun({
      runId: idAt(ms),
      replicaId: `${storeId}:r`,
      kind: 'delta',
      trigger: 'LOGON',
      startedAt: at(ms),
      commandId: null,
      declaredThrough: 0,
    }),
    ...more,
  });

  describe('runs', () => {
    test('are kept by the latest report, newest first, and old ones go', async () => {
      const [one, two, three] = [run(0), run(10_000), run(20_000)];
      for (const each of [two, three, one]) await runs.noteRun(storeId, each);
      const later = { ...two, state: 'COMPLETED' as const, updatedAt: at(15_000), finishedAt: at(15_000) };
      await runs.noteRun(storeId, later);
      await runs.noteRun(storeId, two);
      expect(await runs.readRuns(storeId, 10)).toEqual([three, later, one]);
      expect(await runs.readRuns(storeId, 2)).toEqual([three, later]);
      expect(await runs.readRuns(`${storeId}x`, 2)).toEqual([]);
      await runs.pruneRuns(storeId, START + 10_000);
      expect(await runs.readRuns(storeId, 10)).toEqual([three, later]);
      for (const runId of [three.runId, three.runId]) await runs.removeRun(storeId, runId);
      expect(await runs.readRuns(storeId, 10)).toEqual([later]);
    });
  });

  test('runs and differences are found by when they were, and old differences go with the next', async () => {
    for (const ms of [0, 10_000, 20_000]) await runs.noteRun(storeId, run(ms));
    expect((await runs.readRunsSince(storeId, START + 10_000)).map(({ startedAt }) => startedAt)).toEqual([at(10_000), at(20_000)]);
    const difference = (ms: number) => ({ differenceId: idAt(ms), at: at(ms), replicaId: `${storeId}:r`, feed: 'Customer@org' });
    const [one, two] = [difference(0), difference(10_000)];
    await runs.noteDifference(storeId, one);
    await runs.noteDifference(storeId, two);
    expect(await runs.readDifferences(storeId, START)).toEqual([one, two]);
    expect(await runs.readDifferences(storeId, START + 10_000)).toEqual([two]);
    expect(await runs.readDifferences(`${storeId}x`, START)).toEqual([]);
    const later = difference(limits.runsKeptMs + 5_000);
    await runs.noteDifference(storeId, later);
    expect(await runs.readDifferences(storeId, START)).toEqual([two, later]);
    expect(await runs.readRuns(storeId, 10)).toHaveLength(3);
  });

  describe('fresh runs', () => {
    test('one a replica, changed while it is that run and open', async () => {
      const record = (replica: string, runId: string): FreshRecord => ({
        storeId,
        replicaId: `${storeId}:${replica}`,
        runId,
        startedAt: at(0),
        declaredThrough: 3,
        completeAt: null,
        cancelledAt: null,
        workflowAt: null,
        checkedAt: null,
        missing: [],
      });
      const [a, b] = [record('a', 'r1'), record('b', 'r2')];
      expect(await runs.readFresh(a.replicaId)).toBeNull();
      expect(await runs.changeFresh(a)).toBe(false);
      await runs.putFresh(a);
      await runs.putFresh(b);
      expect(await runs.changeFresh({ ...a, missing: ['something'] })).toBe(true);
      expect(await runs.changeFresh({ ...a, runId: 'other' })).toBe(false);
      expect(await runs.changeFresh({ ...a, completeAt: at(1) })).toBe(true);
      expect(await runs.changeFresh({ ...a, completeAt: null })).toBe(false);
      expect(await runs.changeFresh({ ...b, cancelledAt: at(1) })).toBe(true);
      expect(await runs.changeFresh(b)).toBe(false);
      expect(await runs.readFresh(a.replicaId)).toEqual({ ...a, completeAt: at(1) });
      expect((await runs.listFresh(storeId)).map(({ replicaId }) => replicaId)).toEqual([a.replicaId, b.replicaId]);
      const next = record('a', 'r3');
      await runs.putFresh(next);
      expect(await runs.readFresh(a.replicaId)).toEqual(next);
    });
  });

  describe('commands', () => {
    const command = (ms: number): Command => ({
      commandId: idAt(ms),
      storeId,
      replicaId: `${storeId}:r`,
      kind: 'repair',
      components: ['Customer'],
      preview: true,
      takeOver: false,
      reason: null,
      by: 'somebody',
      state: 'PENDING',
      createdAt: at(ms),
      expiresAt: at(ms + 1_000),
      deliveredAt: null,
      finishedAt: null,
      result: null,
      failure: null,
    });

    test('are listed by time, and change from the state that was read only', async () => {
      const [one, two] = [command(0), command(10_000)];
      await runs.addCommand(two);
      await runs.addCommand(one);
      expect(await runs.readCommands(storeId, START)).toEqual([one, two]);
      expect(await runs.readCommands(storeId, START + 10_000)).toEqual([two]);
      const delivered = { ...one, state: 'DELIVERED' as const, deliveredAt: at(1) };
      expect(await runs.changeCommand(one, delivered)).toBe('changed');
      expect(await runs.changeCommand(one, { ...one, state: 'CANCELLED' })).toBe('conflict');
      // Adding it again does not take it back.
      await runs.addCommand(one);
      expect(await runs.readCommand(storeId, one.commandId)).toEqual(delivered);
      expect(await runs.readCommand(`${storeId}x`, one.commandId)).toBeNull();
    });
  });
}
