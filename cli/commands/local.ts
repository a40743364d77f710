import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { checkDir } from '../stack.ts';

/**
 * The whole cloud on this machine, in the foreground, until Ctrl-C. Prints one line of JSON when it is up. The channel to it
 * closes however this process ends, and then it ends too.
 */
const MAIN = fileURLToPath(new URL('../../local/main.ts', import.meta.url));

export function addLocalCommand(program: Command): void {
  program
    .command('local')
    .description('run the whole cloud on this machine until Ctrl-C')
    .requiredOption('--dir <folder>', 'where its data is kept')
    .option('--port <port>', 'port of the HTTP API (default: a free one)')
    .option('--org <name or file>', 'organization: a name in orgs/ or a JSON file')
    .option('--hour <duration>', 'how long the hour of fresh syncs and rollouts is, such as 5s or 2m (default: 1h)')
    .option('--json', 'the ready line is JSON anyway')
    .addHelpText('after', '\nExample:\n  npm run -s storeline -- local --dir .storeline/cloud --port 4400')
    .action(async (options: { dir: string; port?: string; org?: string; hour?: string }) => {
      checkDir(options.dir);
      const args = ['--dir', options.dir];
      if (options.port !== undefined) args.push('--port', options.port);
      if (options.org !== undefined) args.push('--org', options.org);
      if (options.hour !== undefined) args.push('--hour', options.hour);
      const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
      for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => child.kill('SIGTERM'));
      const [code] = (await once(child, 'exit')) as [number | null];
      process.exitCode = code ?? 1;
    });
}
