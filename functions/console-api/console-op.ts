import type * as z from 'zod';
import type { consoleRequestSchema } from '../../protocol/messages/console.ts';

/** A request of the console, after its schema. */
export type ConsoleOp<Op extends z.output<typeof consoleRequestSchema>['op']> = Extract<z.output<typeof consoleRequestSchema>, { op: Op }>;
