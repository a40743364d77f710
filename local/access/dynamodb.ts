/** What a request of DynamoDB needs: actions by table or index, and the leading keys of the items. */
import type { Need, Needs } from './statement.ts';

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

/** One item or one table at a time: the permission has the call's name. */
const SINGLE = new Set(['GetItem', 'PutItem', 'UpdateItem', 'DeleteItem', 'Scan']);

export function dynamoNeeds(operation: string, asked: unknown): Needs {
  const body = asked as Body;
  const table = body.TableName ?? '';
  if (operation === 'Query') {
    const resource = `table/${table}${body.IndexName === undefined ? '' : `/index/${body.IndexName}`}`;
    return [{ action: `dynamodb:${operation}`, resource, keys: [queriedKey(body)] }];
  }
  if (operation.startsWith('Transact') && body.TransactItems !== undefined) {
    const parts = body.TransactItems.flatMap((item) => Object.entries(item));
    return parts.map(([kind, part]) => need(kind === 'ConditionCheck' ? 'ConditionCheckItem' : `${kind}Item`, part.TableName, [part]));
  }
  if (operation.startsWith('Batch') && body.RequestItems !== undefined) {
    return Object.entries(body.RequestItems).map(([name, items]) => {
      const parts =
        'Keys' in items
          ? (items.Keys ?? []).map((Key) => ({ Key }))
          : (items as readonly Record<string, object>[]).flatMap(Object.values<object>);
      return need(operation, name, parts);
    });
  }
  return SINGLE.has(operation) ? [need(operation, table, [body])] : null;
}

function need(action: string, table: string, parts: readonly { readonly Key?: Item; readonly Item?: Item }[]): Need {
  return {
    action: `dynamodb:${action}`,
    resource: `table/${table}`,
    keys: parts.map(({ Key, Item }) => String((Key ?? Item)?.['pk']?.['S'])),
  };
}

/** Of `pk = :pk AND …`. */
function queriedKey({ KeyConditionExpression = '', ExpressionAttributeValues = {} }: Body): string {
  const value = /= *(:\w+)/.exec(KeyConditionExpression)?.[1] ?? '';
  return String(ExpressionAttributeValues[value]?.['S']);
}
