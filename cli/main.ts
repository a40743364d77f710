import { CommanderError } from 'commander';
import { describeError, exitCodeOf, say } from './output.ts';
import { createProgram } from './program.ts';

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
