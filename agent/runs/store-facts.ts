import { existsSync } from 'node:fs';
import { collectionOf } from '../../protocol/catalogue/catalogue.ts';
import type { ComponentName } from '../../protocol/catalogue/types.ts';
import { isOver } from '../../protocol/runs.ts';
import { dataPaths } from '../data-folder.ts';
import { requireIdentity } from '../identity.ts';
import { OutboxFile } from '../outbox/outbox-file.ts';
import { openReadOnly } from '../replica/replica-file.ts';
import { Replica } from '../replica/replica.ts';
import { freshOutstanding } from '../sync/fresh-standing.ts';
import type { RunLog } from './run-log.ts';

/** What a run needs to know of its store before it begins and when it ends. */
export function declarationOf(data: string): { replicaId: string; declaredThrough: number } {
  const paths = dataPaths(data);
  const { replicaId } = requireIdentity(paths.identity);
  if (!existsSync(paths.outbox)) return { replicaId, declaredThrough: 0 };
  const outbox = OutboxFile.open(paths.outbox, replicaId);
  try {
    return { replicaId, declaredThrough: outbox.mark().seq };
  } finally {
    outbox.close();
  }
}

export function standingOf(data: string) {
  const db = openReadOnly(dataPaths(data).replica);
  if (db === null) return { outstanding: null, components: null, syncMinutes: null };
  const replica = new Replica(db);
  try {
    const note = replica.planNote();
    return { outstanding: freshOutstanding(replica), components: note?.components ?? null, syncMinutes: note?.syncMinutes ?? null };
  } finally {
    replica.close();
  }
}

/** Becomes another replica in the middle: what was declared has other numbers now. */
export function adopt(log: RunLog, data: string): void {
  const { run } = log;
  const now = declarationOf(data);
  if (run === null || isOver(run) || run.replicaId === now.replicaId) return;
  log.start({ kind: run.kind === 'manual' ? 'manual' : 'fresh', trigger: run.trigger, commandId: run.commandId, ...now });
}

/** What of each component waits here, for head office or for a person. */
export interface UpStanding {
  readonly waiting: number;
  readonly open: number;
  /** When the oldest that waits was recorded, ms. */
  readonly oldestAt: number | null;
}

export function upStanding(data: string): Map<ComponentName, UpStanding> {
  const paths = dataPaths(data);
  const standing = new Map<ComponentName, UpStanding>();
  if (!existsSync(paths.outbox)) return standing;
  const outbox = OutboxFile.open(paths.outbox, requireIdentity(paths.identity).replicaId);
  try {
    for (const [name, { waiting, open, oldestAt }] of outbox.standing()) {
      const { component } = collectionOf(name);
      const own = standing.get(component) ?? { waiting: 0, open: 0, oldestAt: null };
      standing.set(component, { waiting: own.waiting + waiting, open: own.open + open, oldestAt: earlier(own.oldestAt, oldestAt) });
    }
    return standing;
  } finally {
    outbox.close();
  }
}

function earlier(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.min(a, b);
}
