import type { Command, Run } from '../../protocol/runs.ts';

/** A replica's fresh run as head office sees it. One a replica: another one takes its place. */
export interface FreshRecord {
  readonly storeId: string;
  readonly replicaId: string;
  readonly runId: string;
  /** When head office heard of it first, by its own clock. */
  readonly startedAt: string;
  readonly declaredThrough: number;
  /** When its workflow was begun; null: not known to be. */
  readonly workflowAt: string | null;
  readonly completeAt: string | null;
  readonly cancelledAt: string | null;
  readonly checkedAt: string | null;
  /** In words, of the last check. */
  readonly missing: readonly string[];
}

export interface Difference {
  readonly differenceId: string;
  /** By head office's clock. */
  readonly at: string;
  readonly replicaId: string;
  readonly feed: string;
}

/** Runs that stores report, what head office knows of fresh ones, and commands to stores. */
export interface RunStore {
  /** Keeps it, unless a later report of it is there. */
  noteRun(storeId: string, run: Run): Promise<void>;
  /** Newest first. */
  readRuns(storeId: string, limit: number): Promise<Run[]>;
  removeRun(storeId: string, runId: string): Promise<void>;
  /** Those that began since, oldest first. */
  readRunsSince(storeId: string, since: number): Promise<Run[]>;
  /** Runs that began before, some at a time. */
  pruneRuns(storeId: string, before: number): Promise<void>;
  /** A replica of the store was found to differ from head office. Its id begins with its time, and so do those of old ones, which go. */
  noteDifference(storeId: string, difference: Difference): Promise<void>;
  /** Those since, oldest first. */
  readDifferences(storeId: string, since: number): Promise<Difference[]>;
  readFresh(replicaId: string): Promise<FreshRecord | null>;
  listFresh(storeId: string): Promise<FreshRecord[]>;
  /** In place of whatever was there. */
  putFresh(record: FreshRecord): Promise<void>;
  /** Changes it if it is still of that run and neither complete nor cancelled; returns whether it was. */
  changeFresh(record: FreshRecord): Promise<boolean>;
  addCommand(command: Command): Promise<void>;
  readCommand(storeId: string, commandId: string): Promise<Command | null>;
  /** Those that were made since, oldest first. */
  readCommands(storeId: string, since: number): Promise<Command[]>;
  /** `conflict`: it is not in the state of `before` any more. */
  changeCommand(before: Command, after: Command): Promise<'changed' | 'conflict'>;
}
