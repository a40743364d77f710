import type { RecordWrite } from '../../core/ports/record-store.ts';
import { decideEdit } from '../../core/records/decide-write.ts';
import { recordScopes } from '../../core/records/record-scopes.ts';
import { ownerOf } from '../../core/working-set/owner.ts';
import { must } from '../../protocol/assert.ts';
import { collectionOf } from '../../protocol/catalogue/catalogue.ts';
import { type Fields, keyIssue, parseRecord } from '../../protocol/catalogue/record.ts';
import type { Collection } from '../../protocol/catalogue/types.ts';
import { limits } from '../../protocol/limits.ts';
import type { WriteOutcome } from '../../protocol/messages/console.ts';
import { SyncError } from '../../protocol/sync-error.ts';
import type { Edit, WriteDeps } from './edit.ts';
import { writeLedger } from './write-ledger.ts';

/** Somebody else wrote the record between our read and our write, this often in a row. */
const CONFLICT_TRIES = 10;

/**
 * Head-office edits, each judged by itself: a bad record is rejected with its reasons and holds up nothing.
 * The same key twice in a call is written in order. Writing what is there already is `unchanged` and makes no page.
 */
export async function writeRecords(
  deps: WriteDeps,
  request: { collection: string; puts: readonly unknown[]; deletes: readonly string[] },
): Promise<WriteOutcome[]> {
  const collection = collectionOf(request.collection);
  const outcomes: WriteOutcome[] = [];
  const edits: Edit[] = [];
  for (const [index, input] of request.puts.entries()) {
    const parsed = parseRecord(collection, input);
    if (!parsed.ok) {
      outcomes[index] = { outcome: 'rejected', issues: parsed.issues };
      continue;
    }
    const { key, fields } = parsed;
    const scoped = recordScopes(collection, fields, deps.scopes);
    if (!scoped.ok) outcomes[index] = { outcome: 'rejected', issues: [scoped.issue] };
    else if (sizeOf(fields) > limits.recordBytesMax) outcomes[index] = tooLarge();
    else
      edits.push({
        index,
        key,
        fields,
        scopes: scoped.scopes,
        owner: ownerOf({ collection: collection.name, key, fields }, deps.scopes) ?? undefined,
      });
  }
  for (const [at, key] of request.deletes.entries()) {
    const index = request.puts.length + at;
    const issue = keyIssue(key);
    if (issue === null) edits.push({ index, key, fields: null, scopes: [], owner: undefined });
    else outcomes[index] = { outcome: 'rejected', issues: [issue] };
  }
  const asRecords = collection.name === 'points_ledger' ? await writeLedger(deps, edits, outcomes) : edits;
  for (const wave of wavesOfUniqueKeys(asRecords)) await writeWave(deps, { collection, wave, outcomes });
  return outcomes;
}

async function writeWave(
  deps: WriteDeps,
  { collection, wave, outcomes }: { collection: Collection; wave: readonly Edit[]; outcomes: WriteOutcome[] },
): Promise<void> {
  let left = wave;
  for (let tries = 0; left.length > 0; tries += 1) {
    if (tries >= CONFLICT_TRIES)
      throw new SyncError('CONFLICT', `${collection.name}: others keep writing the same records`, { retryAfterMs: 500 });
    const current = await deps.records.getMany(
      collection.name,
      left.map((edit) => edit.key),
    );
    const now = deps.clock.now();
    const writes: { edit: Edit; write: RecordWrite }[] = [];
    for (const edit of left) {
      const decided = decideEdit({ ...edit, collection, current: current.get(edit.key) ?? null, now });
      if (decided.outcome === 'write') writes.push({ edit, write: decided.write });
      else if (decided.outcome === 'rejected') outcomes[edit.index] = decided;
      else outcomes[edit.index] = { outcome: 'unchanged', key: edit.key, rev: decided.rev };
    }
    const results = await deps.records.writeMany(writes.map(({ write }) => write));
    left = writes.flatMap(({ edit, write }, index) => {
      if (results[index] === 'conflict') return [edit];
      deps.onWrite?.(current.get(edit.key)?.rev ?? null, write.record.rev);
      outcomes[edit.index] = { outcome: 'written', key: edit.key, rev: write.record.rev };
      return [];
    });
  }
}

/** Each wave has a key at most once; the waves of one key keep its order. */
function wavesOfUniqueKeys(edits: readonly Edit[]): Edit[][] {
  const waves: Edit[][] = [];
  const next = new Map<string, number>();
  for (const edit of edits) {
    const wave = next.get(edit.key) ?? 0;
    next.set(edit.key, wave + 1);
    if (wave === waves.length) waves.push([]);
    must(waves[wave], 'waves grow one by one').push(edit);
  }
  return waves;
}

function sizeOf(fields: Fields): number {
  return Buffer.byteLength(JSON.stringify(fields));
}

function tooLarge(): WriteOutcome {
  return { outcome: 'rejected', issues: [{ field: 'record', reason: `has more than ${limits.recordBytesMax} bytes` }] };
}
