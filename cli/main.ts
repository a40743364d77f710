import { enableCompileCache } from 'node:module';
import { join } from 'node:path';

// Before anything else is loaded: more than a third of a short command is compiling what is imported.
enableCompileCache(join(import.meta.dirname, '..', 'node_modules', '.cache', 'compiled'));
const { CommanderError } = await import('commander');
const { describeError, exitCodeOf, say } = await import('./output.ts');
const { createProgram } = await import('./program.ts');

// Whoever reads what is printed may have seen enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

try {
  await createProgram().parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else {
    say(describeError(error));
    process.exitCode = exitCodeOf(error);
  }
}
