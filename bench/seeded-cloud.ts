import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { PAGE_LEVEL, pack } from '../codec/pack.ts';
import type { FeedChange } from '../core/feed/route-change.ts';
import { groupForPages, pageSections } from '../core/feed/page-sections.ts';
import type { FeedHead } from '../core/ports/feed-store.ts';
import { DynamoFeedStore } from '../functions/aws/dynamo-feed-store.ts';
import { S3ObjectStore } from '../functions/aws/s3-object-store.ts';
import { compactFeed } from '../functions/compact/compact.ts';
import type { FeedName } from '../protocol/feed.ts';
import { limits } from '../protocol/limits.ts';
import { HeadOffice } from '../cli/head-office.ts';
import { localPlace } from '../cli/place.ts';
import { type LocalStack, localStackSchema } from '../protocol/local-stack.ts';
import { encodeSections } from '../protocol/sections.ts';

/**
 * A real local cloud whose feeds are filled directly, because main data would take an hour for millions of records.
 * Pages and snapshots are made by the product's own code; the agent is the product's own process.
 */
const ROOT = new URL('..', import.meta.url).pathname;

export class SeededCloud {
  readonly dir: string;
  readonly stack: LocalStack;
  readonly office: HeadOffice;
  readonly #child: ReturnType<typeof spawn>;
  readonly #feeds: DynamoFeedStore;
  readonly #objects: S3ObjectStore;
  readonly #heads = new Map<FeedName, FeedHead>();

  private constructor(dir: string, stack: LocalStack, child: ReturnType<typeof spawn>) {
    this.dir = dir;
    this.stack = stack;
    this.#child = child;
    const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
    const documents = DynamoDBDocumentClient.from(
      new DynamoDBClient({ endpoint: stack.endpoints.dynamodb, region: stack.region, credentials }),
    );
    this.office = new HeadOffice(localPlace(dir, stack), { kind: 'aws' });
    this.#feeds = new DynamoFeedStore(documents, stack.tables['feeds'] ?? '');
    const s3 = new S3Client({
      endpoint: stack.endpoints.s3,
      region: stack.region,
      credentials,
      forcePathStyle: true,
      requestChecksumCalculation: 'WHEN_REQUIRED',
    });
    this.#objects = new S3ObjectStore(s3, stack.buckets['snapshots'] ?? '');
  }

  static async start(): Promise<SeededCloud> {
    const dir = mkdtempSync(join(tmpdir(), 'storeline-bench-'));
    const child = spawn(process.execPath, [join(ROOT, 'local/main.ts'), '--dir', join(dir, 'cloud')], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
    const [line] = (await once(lines, 'line')) as [string];
    return new SeededCloud(dir, localStackSchema.parse(JSON.parse(line)), child);
  }

  /** Appends changes as pages. `changes` may be as long as it likes. */
  async append(feed: FeedName, changes: Iterable<FeedChange>): Promise<void> {
    let head = this.#heads.get(feed) ?? (await this.#feeds.createFeed(feed, 'bench'));
    const asOf = new Date(0).toISOString();
    let batch: FeedChange[] = [];
    const flush = async () => {
      for (const group of groupForPages(batch, { rowsMax: limits.pageRowsMax / 2, rawBytesMax: limits.pageRawBytesMax / 2 }).get(feed) ??
        []) {
        const page = { position: head.position + 1, body: await pack(encodeSections(pageSections(group)), PAGE_LEVEL), asOf };
        if ((await this.#feeds.appendPage(head, page)) !== 'appended') throw new Error(`${feed}: somebody else appends`);
        head = { ...head, position: page.position, asOf };
      }
      batch = [];
    };
    for (const change of changes) {
      batch.push(change);
      if (batch.length >= 50_000) await flush();
    }
    await flush();
    this.#heads.set(feed, head);
  }

  compact(feed: FeedName) {
    const sizes = { rowsTarget: limits.chunkRowsTarget, rowsMax: limits.chunkRowsMax };
    return compactFeed(
      { feeds: this.#feeds, objects: this.#objects, clock: { now: () => 1_700_000_000_000 }, sealing: limits, sizes },
      feed,
    );
  }

  /** Adds a store and enrols a fresh data folder for it. */
  async enrol(storeId: string): Promise<string> {
    const added = await runNode(['cli/main.ts', 'store', 'add', storeId, '--dir', join(this.dir, 'cloud'), '--json']);
    const { code } = JSON.parse(added.stdout) as { code: string };
    const data = join(this.dir, storeId);
    await runNode(['agent/main.ts', 'enrol', '--api', this.stack.api, '--code', code, '--data', data, '--json']);
    return data;
  }

  /** A store that is complete; its data folder. */
  async complete(storeId: string): Promise<string> {
    const data = await this.enrol(storeId);
    await runNode(['agent/main.ts', 'logon', '--data', data, '--wait', '--json'], AGENT_FLAGS);
    return data;
  }

  async close(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await ended;
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** As `npm run agent` starts it: the heap capped, and a young generation that a block of rows fits into and that does not grow. */
export const AGENT_FLAGS = ['--max-old-space-size=256', '--min-semi-space-size=16', '--max-semi-space-size=16'];

export interface NodeRun {
  readonly code: number | null;
  readonly stdout: string;
  /** High-water mark of the process's resident memory, MB; 0 where the system does not tell. */
  readonly peakMb: number;
}

/** Runs one of the project's programs as a process of its own. */
export async function runNode(args: readonly string[], nodeOptions: readonly string[] = []): Promise<NodeRun> {
  const child = spawn(process.execPath, [...nodeOptions, ...args], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => (stdout += part));
  child.stderr.setEncoding('utf8').on('data', (part: string) => (stderr += part));
  let peakKb = 0;
  const watch = setInterval(() => {
    try {
      peakKb = Math.max(peakKb, Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1] ?? 0));
    } catch {
      // It ended, or this system has no /proc.
    }
  }, 10);
  const [code] = (await once(child, 'close')) as [number | null];
  clearInterval(watch);
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${String(code)}: ${stderr.slice(-2_000)}`);
  return { code, stdout, peakMb: Math.round(peakKb / 1_024) };
}
