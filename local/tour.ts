import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';

/**
 * What happens to stores after their first load, shown with the commands that people type: a delta, a store that cannot reach
 * head office and gets over it, and a manual repair of a replica that some other program wrote into.
 */
export interface TourDeps {
  /** Runs a command to its end; its answer, and whether it went well. */
  readonly run: (script: string, args: readonly string[]) => Promise<{ readonly ok: boolean; readonly answer: unknown }>;
  readonly say: (line: string) => void;
  /** Head office's data, as `--dir` takes it. */
  readonly cloud: string;
  /** Data folders of two stores that are in step. */
  readonly stores: readonly [string, string];
  readonly setHeadOffice: (data: string, api: string) => void;
  readonly api: string;
}

export interface TourResult {
  readonly delta: Moved;
  readonly failed: { readonly state: string; readonly reason: string | null };
  readonly recovered: Moved;
  readonly repair: { readonly change: number; readonly remove: number; readonly add: number; readonly bytes: number };
  readonly complete: boolean;
}

interface Moved {
  readonly kind: string;
  readonly bytes: number;
  readonly seconds: number;
  /** Components that something came of. */
  readonly changed: readonly string[];
}

/** Nothing listens there, on no machine. */
const NOWHERE = 'http://127.0.0.1:9';

export async function tour(deps: TourDeps): Promise<TourResult> {
  const [first, second] = deps.stores;
  const delta = await showDelta(deps, first);
  const failed = await showFailure(deps, second);
  const recovered = await logon(deps, second);
  deps.say(`  the link is back: ${recovered.kind} sync complete after ${recovered.seconds} s, with nobody's help`);
  const repair = await showRepair(deps, second);
  const after = [await logon(deps, first), await logon(deps, second)];
  return { delta, failed, recovered, repair, complete: after.every(({ complete }) => complete) };
}

async function showDelta(deps: TourDeps, data: string): Promise<Moved> {
  const { say } = deps;
  say('\nA customer changes at head office, and store-001 logs on again');
  await need(deps, 'cli/main.ts', [
    'records',
    'put',
    'customer',
    '{"user_id":"1","firstname":"Tour"}',
    '--dir',
    deps.cloud,
    '--aws',
    '--json',
  ]);
  let moved = await logon(deps, data);
  // The stream takes a moment to bring it to the feed.
  for (let tries = 0; moved.changed.length === 0 && tries < 20; tries += 1) moved = await logon(deps, data);
  say(`  ${moved.kind} sync complete after ${moved.seconds} s: ${moved.bytes} bytes, ${moved.changed.join(', ')}`);
  return moved;
}

async function showFailure({ run, say, setHeadOffice, api }: TourDeps, data: string): Promise<TourResult['failed']> {
  say('\nThe link of store-002 is down while somebody logs on; it tries for a while');
  setHeadOffice(data, NOWHERE);
  await run('agent/main.ts', ['logon', '--data', data, '--json']);
  setHeadOffice(data, api);
  const { answer } = await run('agent/main.ts', ['status', '--data', data, '--json']);
  const { run: seen, safe } = answer as { run: { state: string; failure: { reason: string } | null }; safe: { sell: boolean } };
  const reason = seen.failure?.reason ?? null;
  say(
    `  the run ${seen.state}, ${String(reason)}; the till ${safe.sell ? 'goes on selling' : 'has to stop'}, and a manual sync is offered`,
  );
  return { state: seen.state, reason };
}

async function showRepair(deps: TourDeps, data: string): Promise<TourResult['repair']> {
  deps.say('\nSome other program writes into the replica of store-002: one customer is changed, one is gone');
  damage(data);
  const ask = async (...more: string[]) => {
    const args = ['sync', 'manual', '--data', data, '--component', 'Customer', '--json', ...more];
    return (await need(deps, 'agent/main.ts', args)) as { components: { add: number; change: number; remove: number }[]; bytes: number };
  };
  const [preview, done] = [await ask('--preview'), await ask('--reason', 'shown in the tour')];
  const count = ({ components: [one] }: typeof done) => ({ add: one?.add ?? 0, change: one?.change ?? 0, remove: one?.remove ?? 0 });
  const repair = { ...count(done), bytes: done.bytes };
  deps.say(`  preview: ${count(preview).add} to add, ${count(preview).change} to change; about ${preview.bytes} bytes`);
  deps.say(`  repair:  ${repair.add} added, ${repair.change} changed; ${repair.bytes} bytes, and proved equal`);
  return repair;
}

function damage(data: string): void {
  const db = new DatabaseSync(join(data, 'replica.sqlite'));
  const keys = db.prepare('SELECT key FROM customer ORDER BY key LIMIT 2').all();
  db.prepare("UPDATE customer SET firstname = 'Nobody' WHERE key = ?").run(keys[0]?.['key'] ?? '');
  db.prepare('DELETE FROM customer WHERE key = ?').run(keys[1]?.['key'] ?? '');
  db.close();
}

interface Logon {
  readonly kind: string;
  readonly seconds: number;
  readonly complete: boolean;
  readonly transfer: { readonly bytes: number };
  readonly components: readonly { component: string; status: string }[];
}

async function logon(deps: TourDeps, data: string): Promise<Moved & { readonly complete: boolean }> {
  const answer = await need(deps, 'agent/main.ts', ['logon', '--data', data, '--wait', '--json']);
  const { kind, seconds, complete, transfer, components } = answer as Logon;
  const changed = components.flatMap(({ component, status }) => (status === 'COMPLETED' ? [component] : []));
  return { kind, seconds, complete, bytes: transfer.bytes, changed };
}

async function need({ run }: TourDeps, script: string, args: readonly string[]): Promise<unknown> {
  const { ok, answer } = await run(script, args);
  if (!ok) throw new Error(`${script} ${args[0] ?? ''} failed; its reason stands above`);
  return answer;
}
