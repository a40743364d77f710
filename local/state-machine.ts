/**
 * A state machine of the template, as the local stack runs it. Where the interpreter and the service differ or are silent
 * (decision 0014), a definition is refused here and not run differently.
 */
import * as z from 'zod';
import type { Statement } from './access/statement.ts';

/** The service integration that starts a state machine, after `arn:<partition>`. */
export const START_EXECUTION = ':states:::states:startExecution';

const queryLanguage = z.literal('JSONPath', 'only JSONPath is understood by the local stack').optional();
const stateTypes = ['Task', 'Pass', 'Wait', 'Choice', 'Succeed', 'Fail'] as const;

const stateSchema = z
  .looseObject({
    Type: z.enum(stateTypes, `only ${stateTypes.join(', ')} are run by the local stack`),
    Resource: z.string().refine(isCalledHere, 'only functions and states:startExecution are called by the local stack').optional(),
    TimeoutSeconds: z.int().optional(),
    QueryLanguage: queryLanguage,
  })
  .refine(
    ({ Type, TimeoutSeconds }) => Type !== 'Task' || TimeoutSeconds !== undefined,
    'a task needs TimeoutSeconds: without it, it would have a minute here and years in the cloud',
  );

const definitionSchema = z.looseObject({
  StartAt: z.string(),
  States: z.record(z.string(), stateSchema),
  QueryLanguage: queryLanguage,
  TimeoutSeconds: z.undefined('a time limit of a whole execution is not kept by the local stack').optional(),
});

export const stateMachineSchema = z.object({
  DefinitionString: z
    .string()
    .transform((text): unknown => JSON.parse(text))
    .pipe(definitionSchema),
  RoleArn: z.string().optional(),
  StateMachineType: z.literal('STANDARD', 'only standard workflows are run by the local stack').default('STANDARD'),
});

export interface StateMachineDefinition {
  readonly name: string;
  readonly arn: string;
  readonly definition: z.infer<typeof definitionSchema>;
  /** What its role allows; null: it has no role in the template. */
  readonly permissions: readonly Statement[] | null;
}

function isCalledHere(resource: string): boolean {
  return /:lambda:[^:]*:[^:]*:function:[\w-]+$/.test(resource) || resource.endsWith(START_EXECUTION);
}
