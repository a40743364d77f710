import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type LocalStack, localStackSchema } from '../protocol/local-stack.ts';
import { durationMs } from './duration.ts';
import { type TourResult, tour } from './tour.ts';

/**
 * `npm start`: the whole cloud, a demo organization and two stores on this machine, as their users would run them.
 *
 * Every step is the command a person would type, run as a process of its own. With `--once` it ends when every component
 * in scope of both stores has a certificate and prints one JSON object; otherwise it stays up until Ctrl-C. What it
 * made is kept in its folder, so a second start has nothing to fetch, and a start that was cut off is gone on with.
 */
const ROOT = fileURLToPath(new URL('..', import.meta.url));
const STORES = [
  { storeId: 'store-001', edition: 'clienteling' },
  { storeId: 'store-002', edition: 'core' },
] as const;

interface Options {
  readonly once: boolean;
  /** Also what comes after the first load. */
  readonly tour: boolean;
  readonly json: boolean;
  readonly dir: string;
  readonly port: string | undefined;
  readonly hour: string | undefined;
  readonly customers: string;
}

interface StoreResult {
  readonly storeId: string;
  readonly edition: string;
  readonly complete: boolean;
  readonly kind: string;
  /** What went over the wire: a start that finds everything there fetches no chunk. */
  readonly transfer: object;
  readonly components: { component: string; status: string; rows: number; certificate: object | null }[];
}

/** A command ends when the demo does, even when the demo is killed: the channel to it closes then. It does not wait for it. */
const END_WITH_DEMO = 'data:text/javascript,process.once("disconnect",()=>process.kill(process.pid,"SIGTERM"));process.channel.unref()';

const children = new Set<ChildProcess>();
let stopping = false;
const say = (line: string) => process.stderr.write(`${line}\n`);

/** Runs a command to its end and gives back the JSON it printed; its other output goes to standard error. */
async function run<T>(script: string, args: readonly string[]): Promise<T> {
  const { code, text } = await ended(script, args);
  if (code !== 0) throw new Error(`${script} ${args[0] ?? ''} ended with code ${String(code)}; its reason stands above`);
  return JSON.parse(text) as T;
}

async function ended(script: string, args: readonly string[]): Promise<{ readonly code: number | null; readonly text: string }> {
  if (stopping) throw new Error('it is being stopped');
  const child = spawn(process.execPath, ['--import', END_WITH_DEMO, join(ROOT, script), ...args], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  children.add(child);
  let text = '';
  child.stdout?.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  children.delete(child);
  return { code, text };
}

/**
 * Agents know head office by its address, so a demo keeps the port it had first. The channel to the cloud closes however
 * the demo ends, and then the cloud ends too.
 */
async function startCloud({ dir, port, hour }: Options): Promise<{ stack: LocalStack; child: ChildProcess }> {
  const portFile = join(dir, 'port');
  const wanted = port ?? (existsSync(portFile) ? readFileSync(portFile, 'utf8').trim() : '0');
  const args = [
    join(ROOT, 'local/main.ts'),
    '--dir',
    join(dir, 'cloud'),
    '--port',
    wanted,
    ...(hour === undefined ? [] : ['--hour', hour]),
  ];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
  children.add(child);
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  const line = await Promise.race([once(lines, 'line').then(([first]) => String(first)), once(child, 'exit').then(() => null)]);
  if (line === null) {
    const hint = wanted === '0' ? '' : ` If it is port ${wanted}: --port takes another one, and so does a demo in another --dir.`;
    throw new Error(`the local cloud did not start; its reason stands above.${hint}`);
  }
  const stack = localStackSchema.parse(JSON.parse(line));
  writeFileSync(portFile, new URL(stack.api).port);
  return { stack, child };
}

/** Adds the store and enrols its agent, as far as an earlier start has not done so. */
async function enrolStore(stack: LocalStack, dir: string, store: (typeof STORES)[number]): Promise<string> {
  const data = join(dir, store.storeId);
  const identity = join(data, 'identity.json');
  if (existsSync(identity)) {
    moveHeadOffice(identity, stack.api);
    return data;
  }
  // A code is shown once, and this start may be cut off before it is used.
  const codeFile = join(dir, `${store.storeId}.code`);
  if (!existsSync(codeFile)) {
    const args = ['store', 'add', store.storeId, '--edition', store.edition, '--dir', join(dir, 'cloud'), '--aws', '--json'];
    const { code } = await run<{ code: string }>('cli/main.ts', args);
    writeFileSync(codeFile, code, { mode: 0o600 });
  }
  const code = readFileSync(codeFile, 'utf8');
  await run('agent/main.ts', ['enrol', '--api', stack.api, '--code', code, '--data', data, '--json']);
  rmSync(codeFile);
  return data;
}

/** With another --port the stores of an earlier start look for head office where it no longer is. */
function moveHeadOffice(file: string, api: string): void {
  const identity = JSON.parse(readFileSync(file, 'utf8')) as { api: string };
  if (identity.api === api) return;
  writeFileSync(`${file}.new`, `${JSON.stringify({ ...identity, api }, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

async function syncStores(stack: LocalStack, dir: string): Promise<StoreResult[]> {
  const results: StoreResult[] = [];
  for (const store of STORES) {
    const data = await enrolStore(stack, dir, store);
    say(`\n${store.storeId} (${store.edition}) logs on`);
    const { complete, kind, transfer, components } = await run<StoreResult>('agent/main.ts', ['logon', '--data', data, '--wait', '--json']);
    results.push({ storeId: store.storeId, edition: store.edition, complete, kind, transfer, components });
    say(tableOf(components));
  }
  return results;
}

/** Once for each demo: the stores are as they were after it. */
async function showTour({ dir, tour: isWanted }: Options, stack: LocalStack): Promise<TourResult | null> {
  const shown = join(dir, 'tour.json');
  if (!isWanted || existsSync(shown)) return null;
  const [first, second] = STORES.map(({ storeId }) => join(dir, storeId)) as [string, string];
  const result = await tour({
    run: async (script, args) => {
      const { code, text } = await ended(script, args);
      return { ok: code === 0, answer: text === '' ? null : (JSON.parse(text) as unknown) };
    },
    say,
    cloud: join(dir, 'cloud'),
    stores: [first, second],
    setHeadOffice: (data, api) => moveHeadOffice(join(data, 'identity.json'), api),
    api: stack.api,
  });
  writeFileSync(shown, JSON.stringify(result));
  return result;
}

function tableOf(components: StoreResult['components']): string {
  return components
    .map(
      ({ component, status, rows, certificate }) =>
        `  ${component.padEnd(24)} ${status.padEnd(22)} ${String(rows).padStart(8)} rows  ${certificate === null ? '' : 'certificate'}`,
    )
    .join('\n');
}

async function demo(options: Options, started: number): Promise<void> {
  mkdirSync(options.dir, { recursive: true });
  const cloud = join(options.dir, 'cloud');
  const { stack, child } = await startCloud(options);
  say(`The cloud of organization ${stack.organization} is up on this machine.`);
  await run('cli/main.ts', ['generate', '--customers', options.customers, '--dir', cloud, '--aws', '--json']);
  const stores = await syncStores(stack, options.dir);
  const shown = await showTour(options, stack);
  const complete = stores.every((store) => store.complete) && (shown?.complete ?? true);
  const seconds = Math.round((performance.now() - started) / 100) / 10;
  if (options.json)
    process.stdout.write(
      `${JSON.stringify({ organization: stack.organization, api: stack.api, complete, stores, tour: shown, seconds })}\n`,
    );
  if (options.once) {
    process.exitCode = complete ? 0 : 1;
    return;
  }
  say(`\nBoth stores are in step with head office, with certificates, after ${seconds} s.`);
  say(`  API      ${stack.api}\n  Console  ${stack.console}\n  Data     ${options.dir}\n\nTry, in another terminal:`);
  say(`  npm run -s storeline -- import bill examples/online-retail-bills.csv --map examples/online-retail-bills.map.json --dir ${cloud}`);
  say(`  npm run -s agent -- logon --data ${join(options.dir, STORES[0].storeId)} --wait`);
  say(`  npm run -s agent -- verify --data ${join(options.dir, STORES[0].storeId)}\n\nCtrl-C ends it; everything is kept.`);
  await once(child, 'exit');
  if (!stopping) throw new Error('the local cloud ended by itself; its reason stands above');
}

const USAGE = `Usage: npm start -- [options]

The whole cloud, a demo organization and two stores on this machine, until Ctrl-C.

  --dir <folder>        where everything is kept (default: .storeline)
  --port <port>         port of the API (default: the one of an earlier start, else a free one)
  --customers <number>  size of the demo organization (default: 2000)
  --hour <duration>     how long the hour of fresh syncs and rollouts is, such as 5s or 2m (default: 1h)
  --tour                also show a delta, a store that fails and a manual repair (the default without --once)
  --once                end when both stores are in step, with 0, or with 1 when one is not
  --json                print the result as one JSON object on standard output
  --help                show this`;

function wholeNumber(option: string, text: string, most: number): string {
  if (/^\d+$/.test(text) && Number(text) <= most) return text;
  throw new Error(`${option} is a whole number up to ${most}, not ${text}`);
}

function readOptions(): Options | null {
  try {
    const { values } = parseArgs({
      options: {
        once: { type: 'boolean', default: false },
        tour: { type: 'boolean' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
        dir: { type: 'string', default: join(ROOT, '.storeline') },
        port: { type: 'string' },
        customers: { type: 'string', default: '2000' },
        hour: { type: 'string' },
      },
    });
    if (values.help) {
      process.stdout.write(`${USAGE}\n`);
      return null;
    }
    const dir = resolve(values.dir);
    if (existsSync(dir) && !statSync(dir).isDirectory()) throw new Error(`--dir ${dir} is a file; give a folder`);
    const port = values.port === undefined ? undefined : wholeNumber('--port', values.port, 65_535);
    if (values.hour !== undefined) durationMs('--hour', values.hour);
    return {
      ...values,
      tour: values.tour ?? !values.once,
      dir,
      port,
      hour: values.hour,
      customers: wholeNumber('--customers', values.customers, 10_000_000),
    };
  } catch (error) {
    say(`${(error as Error).message}\n\n${USAGE}`);
    process.exitCode = 2;
    return null;
  }
}

/** Nothing outlives the demo: the cloud ends cleanly, and whatever else still runs with it. */
async function endChildren(): Promise<void> {
  const alive = [...children].filter((child) => child.exitCode === null && child.signalCode === null);
  await Promise.all(
    alive.map((child) => {
      child.kill('SIGTERM');
      return once(child, 'exit');
    }),
  );
}

const started = performance.now();
const options = readOptions();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    stopping = true;
    void endChildren().then(() => process.exit(signal === 'SIGINT' ? 130 : 143));
  });
}
if (options !== null) {
  try {
    await demo(options, started);
  } catch (error) {
    if (!stopping) say(`The demo failed: ${(error as Error).message}`);
    process.exitCode = 1;
  } finally {
    await endChildren();
  }
}
