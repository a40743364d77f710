/**
 * May this function make this call of DynamoDB? As IAM would say it from the template's policies: by action, table or index, and
 * leading keys. A permission that is missing is found here and not in somebody's account. Other services are let through.
 */
import * as z from 'zod';

const list = z.union([z.string(), z.array(z.string())]).transform((value) => [value].flat());
const LEADING_KEYS = 'dynamodb:LeadingKeys';
const ON_KEYS = 'ForAllValues:StringLike';

export const statementSchema = z.object({
  Effect: z.literal('Allow', 'only what is allowed is known to the local stack'),
  Action: list,
  Resource: list,
  Condition: z
    .object({ [ON_KEYS]: z.object({ [LEADING_KEYS]: list }) })
    .loose()
    .optional(),
});
export type Statement = z.infer<typeof statementSchema>;

type Item = Readonly<Record<string, Readonly<Record<string, unknown>> | undefined>>;

interface Part {
  readonly TableName: string;
  readonly Key?: Item;
  readonly Item?: Item;
}

interface Body extends Partial<Part> {
  readonly IndexName?: string;
  readonly KeyConditionExpression?: string;
  readonly ExpressionAttributeNames?: Readonly<Record<string, string>>;
  readonly ExpressionAttributeValues?: Item;
  readonly RequestItems?: Readonly<
    Record<string, { readonly Keys?: readonly Item[] } | readonly Readonly<Record<string, Omit<Part, 'TableName'>>>[]>
  >;
  readonly TransactItems?: readonly Readonly<Record<string, Part>>[];
}

interface Need {
  readonly action: string;
  /** `table/<name>` or `table/<name>/index/<name>`. */
  readonly resource: string;
  readonly keys: readonly string[];
}

/** Why not; null: it may. `target` is the header `x-amz-target`. */
export function denialOf(statements: readonly Statement[], target: string, body: unknown): string | null {
  const operation = target.split('.')[1] ?? '';
  for (const { action, resource, keys } of needsOf(operation, body as Body)) {
    if (!statements.some((statement) => isAllowed(statement, { action, resource, keys })))
      return `not authorized to perform dynamodb:${action} on ${resource} with the leading keys ${keys.join(', ')}`;
  }
  return null;
}

function isAllowed({ Action, Resource, Condition }: Statement, { action, resource, keys }: Need): boolean {
  const patterns = Condition?.[ON_KEYS][LEADING_KEYS];
  return (
    Action.includes(`dynamodb:${action}`) &&
    Resource.some((arn) => arn.endsWith(`:${resource}`)) &&
    (patterns === undefined || keys.every((key) => patterns.some((pattern) => isLike(key, pattern))))
  );
}

function isLike(key: string, pattern: string): boolean {
  return pattern.endsWith('*') ? key.startsWith(pattern.slice(0, -1)) : key === pattern;
}

function needsOf(operation: string, body: Body): Need[] {
  const table = body.TableName ?? '';
  if (operation === 'Query') {
    const resource = `table/${table}${body.IndexName === undefined ? '' : `/index/${body.IndexName}`}`;
    return [{ action: operation, resource, keys: [queriedKey(body)] }];
  }
  if (body.TransactItems !== undefined) {
    const parts = body.TransactItems.flatMap((item) => Object.entries(item));
    return parts.map(([kind, part]) => need(kind === 'ConditionCheck' ? 'ConditionCheckItem' : `${kind}Item`, part.TableName, [part]));
  }
  if (body.RequestItems !== undefined) {
    return Object.entries(body.RequestItems).map(([name, asked]) => {
      const parts =
        'Keys' in asked
          ? (asked.Keys ?? []).map((Key) => ({ Key }))
          : (asked as readonly Record<string, object>[]).flatMap(Object.values<object>);
      return need(operation, name, parts);
    });
  }
  return [need(operation, table, [body])];
}

function need(action: string, table: string, parts: readonly { readonly Key?: Item; readonly Item?: Item }[]): Need {
  return { action, resource: `table/${table}`, keys: parts.map(({ Key, Item }) => String((Key ?? Item)?.['pk']?.['S'])) };
}

/** Of `pk = :pk AND …`. */
function queriedKey({ KeyConditionExpression = '', ExpressionAttributeValues = {} }: Body): string {
  const value = /= *(:\w+)/.exec(KeyConditionExpression)?.[1] ?? '';
  return String(ExpressionAttributeValues[value]?.['S']);
}
