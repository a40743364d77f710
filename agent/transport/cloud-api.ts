import type * as z from 'zod';
import type { Clock, Ids } from '../../core/ports/clock.ts';
import { type ContactRequest, type ContactResponse, contactResponseSchema } from '../../protocol/messages/contact.ts';
import { errorResponseSchema } from '../../protocol/messages/error.ts';
import { type EnrolRequest, type EnrolResponse, enrolResponseSchema } from '../../protocol/messages/enrol.ts';
import { type LookupRequest, type LookupResponse, lookupResponseSchema } from '../../protocol/messages/lookup.ts';
import { type PlanRequest, type PlanResponse, planResponseSchema } from '../../protocol/messages/plan.ts';
import {
  type ForkRequest,
  type ForkResponse,
  type PushRequest,
  type PushResponse,
  type PutAddress,
  forkResponseSchema,
  pushResponseSchema,
} from '../../protocol/messages/push.ts';
import { type RedeemRequest, type RedeemResponse, redeemResponseSchema } from '../../protocol/messages/redeem.ts';
import { type ReportRequest, type ReportResponse, reportResponseSchema } from '../../protocol/messages/report.ts';
import { type RotateKeyRequest, type RotateKeyResponse, rotateKeyResponseSchema } from '../../protocol/messages/rotate-key.ts';
import { SyncError, isSyncError } from '../../protocol/sync-error.ts';
import { PROTOCOL_VERSION, commonVersion, inVersion } from '../../protocol/version.ts';
import { agentLimits } from '../agent-limits.ts';
import { correlationId, withCorrelation } from './correlation.ts';
import { postJson } from './post-json.ts';
import { putObject } from './put-object.ts';
import type { ProvableRequest } from './request-signer.ts';
import { type RetryPolicy, createRetry, defaultRetry, turnedAway } from './retry.ts';
import type { TransferCount } from './transfer-count.ts';

/**
 * Head office over HTTPS: enrol, plan, report, push, fork, rotate-key, lookup, redeem, contact.
 *
 * Every answer is checked against its schema; what does not fit did not come from head office (a captive portal, a
 * proxy's error page) and is `CONNECTIVITY`. A wrong clock and a head office of an older version heal themselves: the offset
 * and the version are taken from the refusal and the request is sent again, once each. Enrolment is not repeated by itself; the command is, with the same key.
 */
export interface CloudApi {
  plan(request: Omit<PlanRequest, 'protocol' | 'agentVersion'>): Promise<PlanResponse>;
  report(request: Omit<ReportRequest, 'protocol'>): Promise<ReportResponse>;
}

export interface UploadApi {
  push(request: Omit<PushRequest, 'protocol' | 'agentVersion'>): Promise<PushResponse>;
  /** Where `push` said. */
  putObject(address: PutAddress, bytes: Uint8Array): Promise<void>;
  fork(request: Pick<ForkRequest, 'publicKey'>): Promise<ForkResponse>;
}

export interface CloudApiDeps {
  readonly api: string;
  readonly agentVersion: string;
  readonly sign: (request: ProvableRequest) => Promise<string>;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly count: TransferCount;
  readonly signal: AbortSignal;
  readonly timeoutMs?: number;
  readonly retry?: RetryPolicy;
  /** Head office's clock minus ours, as far as it is known. */
  readonly offsetMs?: number;
  /** An answer says what time it is there; both others by our clock. */
  readonly onTime?: (measured: { readonly sentAt: number; readonly heardAt: number; readonly serverTime: number }) => void;
}

interface Post<T> {
  readonly message: { readonly protocol: number };
  readonly schema: z.ZodType<T>;
  /** Under which head office logs it. */
  readonly id: string;
}

export class HttpCloudApi implements CloudApi, UploadApi {
  readonly #deps: CloudApiDeps;
  readonly #retry: RetryPolicy;
  readonly #putRetry: RetryPolicy;
  /** Head office's clock minus ours. */
  #offsetMs: number;
  /** What both sides speak; less than ours where head office went back to an older version. */
  #version = PROTOCOL_VERSION;

  constructor(deps: CloudApiDeps) {
    this.#deps = deps;
    this.#offsetMs = deps.offsetMs ?? 0;
    this.#retry = deps.retry ?? createRetry(defaultRetry);
    this.#putRetry = deps.retry ?? createRetry({ ...defaultRetry, attemptsMax: agentLimits.putAttemptsMax });
  }

  async plan(request: Omit<PlanRequest, 'protocol' | 'agentVersion'>): Promise<PlanResponse> {
    const body = { protocol: PROTOCOL_VERSION, agentVersion: this.#deps.agentVersion, ...request } satisfies PlanRequest;
    return this.#post('/v1/plan', body, planResponseSchema);
  }

  async report(request: Omit<ReportRequest, 'protocol'>): Promise<ReportResponse> {
    return this.#post('/v1/report', { protocol: PROTOCOL_VERSION, ...request } satisfies ReportRequest, reportResponseSchema);
  }

  async push(request: Omit<PushRequest, 'protocol' | 'agentVersion'>): Promise<PushResponse> {
    const body = { protocol: PROTOCOL_VERSION, agentVersion: this.#deps.agentVersion, ...request } satisfies PushRequest;
    return this.#post('/v1/push', body, pushResponseSchema);
  }

  async putObject(address: PutAddress, bytes: Uint8Array): Promise<void> {
    const { count, signal } = this.#deps;
    await this.#putRetry.execute(() => putObject({ count, signal }, address, bytes), signal);
  }

  async fork({ publicKey }: Pick<ForkRequest, 'publicKey'>): Promise<ForkResponse> {
    const body = { protocol: PROTOCOL_VERSION, agentVersion: this.#deps.agentVersion, publicKey } satisfies ForkRequest;
    return this.#post('/v1/fork', body, forkResponseSchema);
  }

  async rotateKey({ publicKey }: Pick<RotateKeyRequest, 'publicKey'>): Promise<RotateKeyResponse> {
    const body = { protocol: PROTOCOL_VERSION, agentVersion: this.#deps.agentVersion, publicKey } satisfies RotateKeyRequest;
    return this.#post('/v1/rotate-key', body, rotateKeyResponseSchema);
  }

  async lookup(request: Omit<LookupRequest, 'protocol'>): Promise<LookupResponse> {
    return this.#post('/v1/lookup', { protocol: PROTOCOL_VERSION, ...request } satisfies LookupRequest, lookupResponseSchema);
  }

  async redeem(request: Omit<RedeemRequest, 'protocol'>): Promise<RedeemResponse> {
    return this.#post('/v1/redeem', { protocol: PROTOCOL_VERSION, ...request } satisfies RedeemRequest, redeemResponseSchema);
  }

  async contact(request: Omit<ContactRequest, 'protocol' | 'agentVersion'>): Promise<ContactResponse> {
    const body = { protocol: PROTOCOL_VERSION, agentVersion: this.#deps.agentVersion, ...request } satisfies ContactRequest;
    return this.#post('/v1/contact', body, contactResponseSchema);
  }

  async #post<T>(path: string, message: { readonly protocol: number }, schema: z.ZodType<T>): Promise<T> {
    const id = correlationId() ?? this.#deps.ids.next();
    try {
      return await this.#tries(path, { message, schema, id });
    } catch (error) {
      this.#deps.signal.throwIfAborted();
      throw withCorrelation(error, id);
    }
  }

  #tries<T>(path: string, { message, schema, id }: Post<T>): Promise<T> {
    return this.#retry.execute(async () => {
      // Each is mended at most once: the version first, because it is asked for first.
      for (let mended = 0; ; mended += 1) {
        try {
          return await this.#once(path, { message, schema, id });
        } catch (error) {
          if (mended === 3 || !isSyncError(error) || !this.#mend(error)) throw error;
        }
      }
    }, this.#deps.signal);
  }

  async #once<T>(path: string, { message, schema, id }: Post<T>): Promise<T> {
    const body = JSON.stringify(inVersion(this.#version, message));
    const { clock, ids, sign } = this.#deps;
    const url = apiUrl(this.#deps.api, path);
    const sentAt = clock.now();
    const issuedAt = Math.floor((sentAt + this.#offsetMs) / 1_000);
    const authorization = await sign({ method: 'POST', path: url.pathname, body, issuedAt, clock: sentAt, id: ids.next() });
    const answer = await postJson(this.#deps, { url, body, authorization, correlationId: id });
    const serverTime = Date.parse(String((answer.body as { readonly serverTime?: unknown } | null)?.serverTime));
    if (!Number.isNaN(serverTime)) this.#deps.onTime?.({ sentAt, heardAt: clock.now(), serverTime });
    return parseAnswer(answer, schema);
  }

  #mend(error: SyncError): boolean {
    // Something on the way sent it twice, and this is the answer to the second one.
    return error.code === 'REPLAYED' || this.#correctVersion(error) || this.#correctClock(error);
  }

  #correctVersion(error: SyncError): boolean {
    const version = error.code === 'PROTOCOL_UNSUPPORTED' ? commonVersion(error.details) : null;
    if (version === null || version === this.#version) return false;
    this.#version = version;
    return true;
  }

  #correctClock(error: SyncError): boolean {
    if (error.code !== 'CLOCK_SKEW') return false;
    const serverTime = Date.parse(String(error.details?.['serverTime']));
    if (Number.isNaN(serverTime)) return false;
    this.#offsetMs = serverTime - this.#deps.clock.now();
    return true;
  }
}

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

export type EnrolDeps = Pick<CloudApiDeps, 'api' | 'ids' | 'count' | 'signal' | 'timeoutMs'>;

export async function enrol(deps: EnrolDeps, request: EnrolRequest): Promise<EnrolResponse> {
  const id = deps.ids.next();
  const url = apiUrl(deps.api, '/v1/enrol');
  const ask = async (version: number) =>
    parseAnswer(await postJson(deps, { url, body: JSON.stringify(inVersion(version, request)), correlationId: id }), enrolResponseSchema);
  try {
    return await ask(request.protocol).catch((error: unknown) => {
      const version = isSyncError(error, 'PROTOCOL_UNSUPPORTED') ? commonVersion(error.details) : null;
      if (version === null) throw error;
      return ask(version);
    });
  } catch (error) {
    throw withCorrelation(error, id);
  }
}

export function apiUrl(api: string, path: string): URL {
  if (!URL.canParse(api) || !isPrivate(new URL(api)))
    throw new SyncError('INVALID_INPUT', '--api: not a URL that starts with https:// (http:// is for this machine only)');
  return new URL(api.replace(/\/+$/, '') + path);
}

/** What is said cannot be read on the way: codes and people's data go there. */
function isPrivate({ protocol, hostname }: URL): boolean {
  return protocol === 'https:' || (protocol === 'http:' && LOOPBACK.has(hostname));
}

function parseAnswer<T>({ status, body }: { status: number; body: unknown }, schema: z.ZodType<T>): T {
  if (status === 200) {
    const parsed = schema.safeParse(body);
    if (parsed.success) return parsed.data;
    throw new SyncError('CONNECTIVITY', 'something other than head office answered, or head office is of another version', {
      cause: parsed.error,
    });
  }
  const parsed = errorResponseSchema.safeParse(body);
  if (parsed.success) {
    const { code, message, retryAfterMs, details } = parsed.data.error;
    throw new SyncError(code, message, {
      details: { ...details, serverTime: parsed.data.serverTime },
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    });
  }
  if (status === 429) throw turnedAway();
  if (status >= 500) throw new SyncError('UNAVAILABLE', `head office is busy (HTTP ${status})`);
  throw new SyncError('CONNECTIVITY', `something other than head office answered (HTTP ${status}); check the API address and the network`);
}
