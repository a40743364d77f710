import { closeSync, existsSync, mkdirSync, openSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { sha256Hex } from '../../codec/pack.ts';
import { SyncError } from '../../protocol/sync-error.ts';
import { agentLimits } from '../agent-limits.ts';
import { translateStorageError } from '../replica/sqlite-errors.ts';
import { type RetryPolicy, createRetry, defaultRetry } from './retry.ts';
import type { TransferCount } from './transfer-count.ts';

/**
 * Objects into the spool: by content, resumable, checked.
 *
 * Bytes go to `<sha256>.part` as they come, and after a cut or a kill the rest is asked for with `Range`, so no byte
 * that reached the disk is fetched again. The digest of the whole file is checked before it gets its name, and again
 * whenever it is read. A wrong digest throws the part away and fetches it once more; then it is `INTEGRITY`.
 * URLs are secrets: they are never logged and never part of an error.
 * Files are written synchronously: a piece is 64 KiB into the page cache, and a turn of the event loop, which inserting
 * rows holds for tens of milliseconds, costs far more than the write.
 */
export interface WantedObject {
  readonly sha256: string;
  /** Exact size if it is known, else the most it may be. */
  readonly bytesMax: number;
  /** `renew`: the last one was refused. */
  url(renew: boolean): Promise<string>;
}

export interface Download {
  /** Packed bytes with exactly this digest. */
  get(wanted: WantedObject): Promise<Uint8Array>;
  /** Whether it is here already. */
  has(sha256: string): boolean;
  /** What was loaded is not needed any more. */
  forget(sha256: string): void;
  /** Removes everything but these. */
  keepOnly(sha256s: ReadonlySet<string>): void;
}

export interface SpoolDownloadDeps {
  readonly folder: string;
  readonly count: TransferCount;
  readonly signal: AbortSignal;
  readonly retry?: RetryPolicy;
  readonly stallTimeoutMs?: number;
  /** Told of every piece that arrived. */
  readonly onBytes?: (bytes: number) => void;
}

const URL_RENEWALS_MAX = 2;

export class SpoolDownload implements Download {
  readonly #deps: SpoolDownloadDeps;
  readonly #retry: RetryPolicy;

  constructor(deps: SpoolDownloadDeps) {
    this.#deps = deps;
    this.#retry = deps.retry ?? createRetry(defaultRetry);
    mkdirSync(deps.folder, { recursive: true, mode: 0o700 });
  }

  has(sha256: string): boolean {
    return existsSync(this.#path(sha256));
  }

  forget(sha256: string): void {
    rmSync(this.#path(sha256), { force: true });
  }

  keepOnly(sha256s: ReadonlySet<string>): void {
    for (const name of readdirSync(this.#deps.folder)) {
      if (!sha256s.has(name.replace(/\.part$/, ''))) rmSync(join(this.#deps.folder, name), { force: true });
    }
  }

  async get(wanted: WantedObject): Promise<Uint8Array> {
    const path = this.#path(wanted.sha256);
    if (existsSync(path)) {
      const spooled = readFileSync(path);
      if (sha256Hex(spooled) === wanted.sha256) return spooled;
      rmSync(path, { force: true });
    }
    for (let attempt = 1; ; attempt += 1) {
      await this.#fetchPart(wanted);
      const bytes = readFileSync(`${path}.part`);
      if (sha256Hex(bytes) === wanted.sha256) {
        renameSync(`${path}.part`, path);
        return bytes;
      }
      rmSync(`${path}.part`, { force: true });
      if (attempt > 1)
        throw new SyncError('INTEGRITY', `object ${wanted.sha256.slice(0, 12)} arrived twice with other bytes than it should have`);
    }
  }

  /** Until the part has the whole object. An attempt that got bytes does not count: a bad link gets there in pieces. */
  async #fetchPart(wanted: WantedObject): Promise<void> {
    let renewals = 0;
    for (;;) {
      const before = this.#partSize(wanted.sha256);
      if (before >= wanted.bytesMax) return;
      let outcome: 'done' | 'refused' | 'cut';
      try {
        outcome = await this.#retry.execute(
          async () => this.#fetchOnce(wanted, { url: await wanted.url(renewals > 0), before }),
          this.#deps.signal,
        );
      } catch (error) {
        this.#deps.signal.throwIfAborted();
        throw error;
      }
      if (outcome === 'done') return;
      if (outcome === 'cut') continue;
      renewals += 1;
      if (renewals > URL_RENEWALS_MAX) throw new SyncError('CONNECTIVITY', 'the address of an object is refused although it is new');
    }
  }

  async #fetchOnce(
    { sha256, bytesMax }: WantedObject,
    { url, before }: { url: string; before: number },
  ): Promise<'done' | 'refused' | 'cut'> {
    const part = `${this.#path(sha256)}.part`;
    const offset = this.#partSize(sha256);
    const stall = new StallGuard(this.#deps.stallTimeoutMs ?? agentLimits.stallTimeoutMs, this.#deps.signal);
    this.#deps.count.requests += 1;
    try {
      const response = await fetch(url, {
        signal: stall.signal,
        headers: { 'accept-encoding': 'identity', ...(offset > 0 ? { range: `bytes=${offset}-` } : {}) },
      });
      const kind = judge(response, offset);
      if (kind === 'refused' || kind === 'complete') {
        await response.body?.cancel();
        return kind === 'refused' ? 'refused' : 'done';
      }
      await this.#write(response, { part, offset: kind === 'rest' ? offset : 0, bytesMax, stall });
      return 'done';
    } catch (cause) {
      this.#deps.signal.throwIfAborted();
      const known = translateStorageError(cause);
      const got = this.#partSize(sha256) > Math.max(before, offset);
      if (known instanceof SyncError && known.code !== 'CONNECTIVITY') throw known;
      if (got) return 'cut';
      if (known instanceof SyncError) throw known;
      throw new SyncError('CONNECTIVITY', stall.stalled ? 'a download stalled' : 'a download was cut off', { cause });
    } finally {
      stall.end();
    }
  }

  async #write(
    response: Response,
    { part, offset, bytesMax, stall }: { part: string; offset: number; bytesMax: number; stall: StallGuard },
  ): Promise<void> {
    const announced = Number(response.headers.get('content-length') ?? Number.NaN);
    const file = openSync(part, offset === 0 ? 'w' : 'a', 0o600);
    let size = offset;
    try {
      for await (const piece of response.body ?? []) {
        stall.touch();
        size += piece.length;
        if (size > bytesMax) break;
        writeWhole(file, piece);
        this.#deps.count.bytes += piece.length;
        this.#deps.onBytes?.(piece.length);
      }
    } finally {
      closeSync(file);
    }
    if (size > bytesMax) {
      rmSync(part, { force: true });
      throw new SyncError('CONNECTIVITY', 'an object is larger than its manifest says; something else answered');
    }
    if (!Number.isNaN(announced) && size - offset < announced) throw new SyncError('CONNECTIVITY', 'a download was cut off');
  }

  #partSize(sha256: string): number {
    return statSync(`${this.#path(sha256)}.part`, { throwIfNoEntry: false })?.size ?? 0;
  }

  #path(sha256: string): string {
    return join(this.#deps.folder, sha256);
  }
}

function writeWhole(file: number, piece: Uint8Array): void {
  for (let at = 0; at < piece.length;) at += writeSync(file, piece, at);
}

/** `rest`: the answer continues the part. `whole`: it starts over. `complete`: there is nothing left to fetch. */
function judge(response: Response, offset: number): 'rest' | 'whole' | 'complete' | 'refused' {
  const { status } = response;
  if (status === 206) {
    if (response.headers.get('content-range')?.startsWith(`bytes ${offset}-`) === true) return 'rest';
    throw new SyncError('CONNECTIVITY', 'a download was continued at another place than asked');
  }
  if (status === 200) {
    if (!/^text\/html\b/.test(response.headers.get('content-type') ?? '')) return 'whole';
    throw new SyncError('CONNECTIVITY', 'something other than the object store answered (a web page); check the network');
  }
  if (status === 416) return 'complete';
  if (status === 403 || status === 400 || status === 401) return 'refused';
  throw failure(status);
}

function failure(status: number): SyncError {
  if (status === 404 || status === 410)
    return new SyncError('SNAPSHOT_GONE', 'an object of the snapshot is gone; a newer snapshot is needed');
  if (status === 429 || status >= 500) return new SyncError('UNAVAILABLE', `the object store is busy (HTTP ${status})`);
  return new SyncError('CONNECTIVITY', `something other than the object store answered (HTTP ${status})`);
}

/** Cuts a download in which nothing arrives for too long. */
class StallGuard {
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly signal: AbortSignal;

  constructor(stallMs: number, outer: AbortSignal) {
    this.#timer = setTimeout(() => this.#controller.abort(new Error('stalled')), stallMs);
    this.signal = AbortSignal.any([outer, this.#controller.signal]);
  }

  get stalled(): boolean {
    return this.#controller.signal.aborted;
  }

  touch(): void {
    this.#timer.refresh();
  }

  end(): void {
    clearTimeout(this.#timer);
  }
}
