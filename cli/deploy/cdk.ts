import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { SyncError } from '../../protocol/sync-error.ts';

/** The CDK's own command line, of the version that is installed, working on an assembly that is made already. */
const CDK = createRequire(import.meta.url).resolve('aws-cdk/bin/cdk');

/** Dozens of lines a stack that say that nothing is wrong. */
const CHATTER = /: (start|success): (Building|Built|Publishing|Published) /;

interface CdkOptions {
  readonly assembly: string;
  readonly region: string;
  readonly profile?: string | undefined;
  /** What it says, line by line. */
  readonly onLine: (line: string) => void;
}

/** false: it failed, and what it said says why. */
export async function cdk(args: readonly string[], { assembly, region, profile, onLine }: CdkOptions): Promise<boolean> {
  const child = spawn(
    process.execPath,
    [CDK, ...args, '--app', assembly, '--no-notices', '--no-color', '--ci', ...(profile === undefined ? [] : ['--profile', profile])],
    { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, AWS_REGION: region, CDK_DISABLE_CLI_TELEMETRY: 'true' } },
  );
  const ended = once(child, 'close');
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      if (!CHATTER.test(line)) onLine(line);
    });
  }
  const [code, signal] = (await ended) as [number | null, string | null];
  if (signal !== null) throw new SyncError('DEPLOYMENT_FAILED', `the CDK was ended by ${signal}; AWS may go on with what it was told`);
  return code === 0;
}
