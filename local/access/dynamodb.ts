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

/** One item at a time: the permission has the call's name. */
const SINGLE = new Set(['GetItem', 'PutItem', 'UpdateItem', 'DeleteItem']);
const PARTITION_KEY = 'pk';

export function dynamoNeeds(operation: string, asked: unknown): Needs {
  const body = asked as Body;
  const { TableName: table = '' } = body;
  if (operation === 'Query') return queryNeeds(body);
  if (operation.startsWith('Transact') && body.TransactItems !== undefined) {
    const parts = body.TransactItems.flatMap((item) => Object.entries(item));
    return parts.map(([kind, part]) =>
      need({ action: kind === 'ConditionCheck' ? 'ConditionCheckItem' : `${kind}Item`, table: part.TableName }, [part]),
    );
  }
  if (operation.startsWith('Batch') && body.RequestItems !== undefined) {
    return Object.entries(body.RequestItems).map(([name, items]) => {
      const parts =
        'Keys' in items
          ? (items.Keys ?? []).map((Key) => ({ Key }))
          : (items as readonly Record<string, object>[]).flatMap(Object.values<object>);
      return need({ action: operation, table: name }, parts);
    });
  }
  return SINGLE.has(operation) ? [need({ action: operation, table }, [body])] : null;
}

function need(
  { action, table }: { readonly action: string; readonly table: string },
  parts: readonly { readonly Key?: Item; readonly Item?: Item }[],
): Need {
  return {
    action: `dynamodb:${action}`,
    resource: `table/${table}`,
    keys: parts.map(({ Key, Item }) => String((Key ?? Item)?.[PARTITION_KEY]?.['S'])),
  };
}

/** Of `pk = :pk AND …` and no other way to write it; an index has a partition key of another name. */
function queryNeeds({ TableName = '', IndexName, ...body }: Body): Needs {
  const { KeyConditionExpression = '', ExpressionAttributeNames = {}, ExpressionAttributeValues = {} } = body;
  const [, name = '', value = ''] = /^([#\w]+) = (:\w+)(?: AND |$)/.exec(KeyConditionExpression) ?? [];
  const key = ExpressionAttributeValues[value]?.['S'] as string | undefined;
  const isOfTable = (ExpressionAttributeNames[name] ?? name) === PARTITION_KEY;
  if (key === undefined || (IndexName === undefined && !isOfTable)) return null;
  const resource = `table/${TableName}${IndexName === undefined ? '' : `/index/${IndexName}`}`;
  return [{ action: 'dynamodb:Query', resource, keys: [key] }];
}
