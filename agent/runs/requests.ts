import { mkdirSync, readFileSync, readdirSync, rmSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { COMPONENT_NAMES } from '../../protocol/catalogue/types.ts';
import { type ErrorCodeName, errorCodes } from '../../protocol/error-codes.ts';
import { COMMAND_KINDS, manualResultSchema, runSchema } from '../../protocol/runs.ts';
import { isSyncError } from '../../protocol/sync-error.ts';
import type { AgentIo } from '../agent-io.ts';
import type { DataPaths } from '../data-folder.ts';
import { writeDurably } from '../durable-file.ts';
import { lockFolder } from '../folder-lock.ts';

/**
 * What a command asks of the agent that works on the folder already: a file each in `requests/`, answered by a file beside it.
 * So a logon joins the run that is under way, and a manual sync waits for its turn, whether the local API is on or not.
 */
export const requestSchema = z.discriminatedUnion('ask', [
  z.object({ id: z.uuid(), ask: z.literal('logon') }),
  z.object({
    id: z.uuid(),
    ask: z.literal('manual'),
    kind: z.enum(COMMAND_KINDS),
    components: z.array(z.enum(COMPONENT_NAMES)),
    preview: z.boolean(),
    takeOver: z.boolean(),
  }),
]);
export type StoreRequest = z.infer<typeof requestSchema>;

/** Of an agent that is newer than this command there may be codes that it does not know. */
const codeSchema = z.enum(Object.keys(errorCodes) as ErrorCodeName[]).catch('INTERNAL');

const answerSchema = z.object({
  run: runSchema.nullable(),
  result: manualResultSchema.nullable(),
  failure: z.object({ code: codeSchema, message: z.string() }).nullable(),
});
export type StoreAnswer = z.infer<typeof answerSchema>;

const POLL_MS = 200;
/** How often it is looked whether somebody still works on the folder, in polls. */
const LOCK_EVERY = 10;

/** Oldest first. What is no request is taken away. */
export function readRequests({ requests }: Pick<DataPaths, 'requests'>): StoreRequest[] {
  if (!existsSync(requests)) return [];
  const files = readdirSync(requests).filter((name) => name.endsWith('.json') && !name.endsWith('.answer.json'));
  return files.sort().flatMap((name) => {
    const parsed = requestSchema.safeParse(parse(join(requests, name)));
    if (parsed.success) return [parsed.data];
    rmSync(join(requests, name), { force: true });
    return [];
  });
}

export function answerRequest({ requests }: Pick<DataPaths, 'requests'>, id: string, answer: StoreAnswer): void {
  writeDurably(join(requests, `${id}.answer.json`), JSON.stringify(answer));
  rmSync(join(requests, `${id}.json`), { force: true });
}

/** null: whoever worked on the folder is gone, and the caller may. */
export async function askAgent(
  io: AgentIo,
  paths: Pick<DataPaths, 'requests' | 'lock' | 'pid'>,
  request: StoreRequest,
): Promise<StoreAnswer | null> {
  mkdirSync(paths.requests, { recursive: true, mode: 0o700 });
  const file = join(paths.requests, `${request.id}.json`);
  const answer = join(paths.requests, `${request.id}.answer.json`);
  writeDurably(file, JSON.stringify(request));
  try {
    for (let polls = 1; ; polls += 1) {
      await io.sleep(POLL_MS);
      if (existsSync(answer)) return answerSchema.parse(parse(answer));
      if (polls % LOCK_EVERY === 0 && isFree(paths)) return null;
    }
  } finally {
    rmSync(file, { force: true });
    rmSync(answer, { force: true });
  }
}

function isFree(paths: Pick<DataPaths, 'lock' | 'pid'>): boolean {
  try {
    lockFolder(paths).release();
    return true;
  } catch (error) {
    if (isSyncError(error, 'REPLICA_BUSY')) return false;
    throw error;
  }
}

function parse(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as unknown;
  } catch {
    return null;
  }
}
