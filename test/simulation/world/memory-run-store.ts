import type { Difference, FreshRecord, RunStore } from '../../../core/ports/run-store.ts';
import { firstIdAt } from '../../../core/runs/uuid-time.ts';
import { limits } from '../../../protocol/limits.ts';
import type { Command, Run } from '../../../protocol/runs.ts';
import type { Faults } from './faults.ts';

export class MemoryRunStore implements RunStore {
  readonly runs = new Map<string, Map<string, Run>>();
  readonly fresh = new Map<string, FreshRecord>();
  readonly differences = new Map<string, readonly Difference[]>();
  readonly commands = new Map<string, Command>();
  readonly #faults: Faults;

  constructor(faults: Faults) {
    this.#faults = faults;
  }

  noteRun(storeId: string, run: Run): Promise<void> {
    return this.#faults.strike('note a run', () => {
      const own = this.#ofStore(storeId);
      const known = own.get(run.runId);
      if (known === undefined || known.updatedAt <= run.updatedAt) own.set(run.runId, run);
    });
  }

  readRuns(storeId: string, limit: number): Promise<Run[]> {
    return this.#faults.strike('read runs', () => byId(this.#ofStore(storeId).values()).toReversed().slice(0, limit));
  }

  removeRun(storeId: string, runId: string): Promise<void> {
    return this.#faults.strike('remove a run', () => void this.#ofStore(storeId).delete(runId));
  }

  readRunsSince(storeId: string, since: number): Promise<Run[]> {
    return this.#faults.strike('read runs', () => byId(this.#ofStore(storeId).values()).filter(({ runId }) => runId >= firstIdAt(since)));
  }

  noteDifference(storeId: string, difference: Difference): Promise<void> {
    return this.#faults.strike('note a difference', () => {
      const old = firstIdAt(Date.parse(difference.at) - limits.runsKeptMs);
      const kept = (this.differences.get(storeId) ?? []).filter(({ differenceId }) => differenceId >= old);
      this.differences.set(storeId, [...kept, difference]);
    });
  }

  readDifferences(storeId: string, since: number): Promise<Difference[]> {
    return this.#faults.strike('read differences', () =>
      (this.differences.get(storeId) ?? []).filter(({ differenceId }) => differenceId >= firstIdAt(since)),
    );
  }

  pruneRuns(storeId: string, before: number): Promise<void> {
    return this.#faults.strike('prune runs', () => {
      for (const id of this.#ofStore(storeId).keys()) if (id < firstIdAt(before)) this.#ofStore(storeId).delete(id);
    });
  }

  readFresh(replicaId: string): Promise<FreshRecord | null> {
    return this.#faults.strike('read a fresh run', () => this.fresh.get(replicaId) ?? null);
  }

  listFresh(storeId: string): Promise<FreshRecord[]> {
    return this.#faults.strike('list fresh runs', () => [...this.fresh.values()].filter((record) => record.storeId === storeId));
  }

  putFresh(record: FreshRecord): Promise<void> {
    return this.#faults.strike('put a fresh run', () => void this.fresh.set(record.replicaId, record));
  }

  changeFresh(record: FreshRecord): Promise<boolean> {
    return this.#faults.strike('change a fresh run', () => {
      const known = this.fresh.get(record.replicaId);
      if (known?.runId !== record.runId || known.completeAt !== null || known.cancelledAt !== null) return false;
      this.fresh.set(record.replicaId, record);
      return true;
    });
  }

  addCommand(command: Command): Promise<void> {
    return this.#faults.strike('add a command', () => {
      if (!this.commands.has(command.commandId)) this.commands.set(command.commandId, command);
    });
  }

  readCommand(storeId: string, commandId: string): Promise<Command | null> {
    return this.#faults.strike('read a command', () => {
      const command = this.commands.get(commandId);
      return command?.storeId === storeId ? command : null;
    });
  }

  readCommands(storeId: string, since: number): Promise<Command[]> {
    const isWanted = (command: Command) => command.storeId === storeId && command.commandId >= firstIdAt(since);
    return this.#faults.strike('read commands', () =>
      [...this.commands.values()].filter(isWanted).sort((a, b) => (a.commandId < b.commandId ? -1 : 1)),
    );
  }

  changeCommand(before: Command, after: Command): Promise<'changed' | 'conflict'> {
    return this.#faults.strike('change a command', () => {
      if (this.commands.get(before.commandId)?.state !== before.state) return 'conflict' as const;
      this.commands.set(after.commandId, after);
      return 'changed' as const;
    });
  }

  #ofStore(storeId: string): Map<string, Run> {
    const own = this.runs.get(storeId) ?? new Map<string, Run>();
    this.runs.set(storeId, own);
    return own;
  }
}

function byId(runs: Iterable<Run>): Run[] {
  return [...runs].sort((a, b) => (a.runId < b.runId ? -1 : 1));
}
