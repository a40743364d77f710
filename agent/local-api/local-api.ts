import { timingSafeEqual } from 'node:crypto';
import { Hono } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { bodyLimit } from 'hono/body-limit';
import type * as z from 'zod';
import { errorCodes } from '../../protocol/error-codes.ts';
import { limits } from '../../protocol/limits.ts';
import { SyncError, isSyncError } from '../../protocol/sync-error.ts';
import type { RedeemResponse } from '../../protocol/messages/redeem.ts';
import type { OutboxFile } from '../outbox/outbox-file.ts';
import type { StoreRecords } from '../outbox/store-records.ts';
import { openApi } from './open-api.ts';
import { collectionPath, outboxQuery, recordBody, recordPath } from './schemas.ts';

/**
 * The till's way to its store's records, on this machine only. Every request names the token of a file that only the
 * agent's user may read; a page of a browser is refused by its origin, and another name for this machine by its host.
 *
 * Whatever is wrong with a request gets a typed error and changes nothing.
 */
export interface LocalApiDeps {
  readonly token: string;
  /** `127.0.0.1:port` and `localhost:port`. */
  readonly hosts: () => readonly string[];
  /** Opens what a request needs and closes it after. */
  readonly withRecords: <T>(run: (store: { readonly records: StoreRecords; readonly outbox: OutboxFile }) => T) => T;
  readonly status: () => object;
  /** Head office decides; rejects with a typed error when it cannot be asked. */
  readonly redeem: (collection: string, record: unknown) => Promise<RedeemResponse>;
  /** Asks for a sync, now if none is under way. */
  readonly requestSync: () => void;
  readonly log: (line: string) => void;
}

export function createLocalApi(deps: LocalApiDeps): Hono {
  const app = new Hono({ strict: false });
  app.use('*', async (context, next) => {
    admit(deps, (name) => context.req.header(name));
    await next();
  });
  app.use(
    '*',
    bodyLimit({ maxSize: limits.recordBytesMax, onError: () => refuse(`the body has more than ${limits.recordBytesMax} bytes`) }),
  );
  app.onError((error, context) => {
    const known = isSyncError(error) ? error : new SyncError('INTERNAL', 'something went wrong in the agent; its log says more');
    if (known.code === 'INTERNAL') deps.log(`local API: ${error.stack ?? String(error)}`);
    return context.json(errorOf(known), known.status as ContentfulStatusCode);
  });
  app.notFound((context) => context.json(errorOf(new SyncError('NOT_FOUND', 'there is no such path; GET /openapi.json names them')), 404));
  addRoutes(app, deps);
  return app;
}

function addRoutes(app: Hono, { withRecords, status, requestSync, redeem }: LocalApiDeps): void {
  app.get('/openapi.json', (context) => context.json(openApi()));
  app.get('/v1/records/:collection/:key', (context) => {
    const { collection, key } = parsed(recordPath, context.req.param());
    const found = withRecords(({ records }) => ({ ...records.read(collection, key), attributes: records.attributes(collection, key) }));
    const { fields, pending, attributes } = found;
    if (fields === null) throw new SyncError('NOT_FOUND', `this store has no ${collection} ${JSON.stringify(key)}`);
    return context.json({ collection, key, pending, fields, attributes });
  });
  app.put('/v1/records/:collection', async (context) => {
    const { collection } = parsed(collectionPath, context.req.param());
    const body = parsed(recordBody, await jsonOf(() => context.req.text()));
    return context.json(withRecords(({ records }) => records.put(collection, body)));
  });
  app.delete('/v1/records/:collection/:key', (context) => {
    const { collection, key } = parsed(recordPath, context.req.param());
    return context.json(withRecords(({ records }) => records.delete(collection, key)));
  });
  app.post('/v1/redemptions/:collection', async (context) => {
    const { collection } = parsed(collectionPath, context.req.param());
    const body = parsed(recordBody, await jsonOf(() => context.req.text()));
    return context.json(await redeem(collection, body));
  });
  app.get('/v1/outbox', (context) => {
    const { status: wanted, after, limit } = parsed(outboxQuery, context.req.query());
    return context.json(
      withRecords(({ outbox }) => {
        const entries = outbox.list({ after, limit, ...(wanted === undefined ? {} : { status: wanted }) });
        return {
          counts: outbox.counts(),
          entries: entries.map(describeEntry),
          next: entries.length === limit ? (entries.at(-1)?.id ?? null) : null,
        };
      }),
    );
  });
  app.get('/v1/status', (context) => context.json(status()));
  app.post('/v1/sync', (context) => {
    requestSync();
    return context.json({ requested: true }, 202);
  });
}

/** As the command line and the API show an entry. */
export function describeEntry({ id, operation, receipt, status, attempts, capturedAt }: ReturnType<OutboxFile['list']>[number]) {
  const { seq, opId, collection, key, kind } = operation;
  return { id, seq, opId, collection, key, kind, status, attempts, capturedAt: new Date(capturedAt).toISOString(), receipt };
}

function admit({ token, hosts }: LocalApiDeps, header: (name: string) => string | undefined): void {
  const host = header('host') ?? '';
  if (!hosts().includes(host)) throw new SyncError('UNAUTHORIZED', 'this address is for this machine only');
  const origin = header('origin');
  if (origin !== undefined && origin !== `http://${host}`)
    throw new SyncError('UNAUTHORIZED', 'pages of a browser may not use this address');
  const [scheme, given = ''] = (header('authorization') ?? '').split(' ');
  if (scheme !== 'Bearer' || !isSame(given, token))
    throw new SyncError('UNAUTHORIZED', 'the token is missing or wrong; it stands in the file local-api.json of the data folder');
}

function isSame(given: string, token: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(token)];
  return a.length === b.length && timingSafeEqual(a, b);
}

function parsed<T>(schema: z.ZodType<T>, input: unknown): T {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const issues = result.error.issues.map(({ path, message }) => ({ field: path.map(String).join('.') || 'body', reason: message }));
  throw new SyncError('INVALID_INPUT', issues.map(({ field, reason }) => `${field}: ${reason}`).join('; '), { details: { issues } });
}

async function jsonOf(read: () => Promise<string>): Promise<unknown> {
  try {
    return JSON.parse(await read()) as unknown;
  } catch (error) {
    if (isSyncError(error)) throw error;
    throw new SyncError('INVALID_INPUT', 'the body is not JSON', { cause: error });
  }
}

function refuse(message: string): never {
  throw new SyncError('INVALID_INPUT', message);
}

function errorOf({ code, message, details }: SyncError): object {
  return { error: { code, message, remedy: errorCodes[code].remedy, ...(details === undefined ? {} : { details }) } };
}
