/**
 * What DynamoDB counts of a table, as one number. The CDK's own sums add with `+`, which has no value where one of its parts has
 * none, and these metrics exist only where something went wrong.
 */
import type { Duration } from 'aws-cdk-lib';
import { MathExpression, Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { ITableV2 } from 'aws-cdk-lib/aws-dynamodb';

/** All that the functions use. An alarm takes ten metrics at most. */
const OPERATIONS = [
  'GetItem',
  'BatchGetItem',
  'Query',
  'PutItem',
  'UpdateItem',
  'DeleteItem',
  'BatchWriteItem',
  'TransactWriteItems',
] as const;

export function systemErrors(table: ITableV2, period: Duration): MathExpression {
  const dimensions = OPERATIONS.map((Operation) => ({ TableName: table.tableName, Operation }));
  return sum(
    dimensions.map((dimensionsMap) => counted('SystemErrors', dimensionsMap, period)),
    { period, label: 'System errors' },
  );
}

/** Of the table and of each of its indexes, which DynamoDB counts apart. */
export function throttles(table: ITableV2, indexes: readonly string[], period: Duration): MathExpression {
  const ofTable = { TableName: table.tableName };
  const dimensions = [ofTable, ...indexes.map((index) => ({ ...ofTable, GlobalSecondaryIndexName: index }))];
  const metrics = dimensions.flatMap((dimensionsMap) =>
    ['ReadThrottleEvents', 'WriteThrottleEvents'].map((name) => counted(name, dimensionsMap, period)),
  );
  return sum(metrics, { period, label: 'Throttled' });
}

function counted(metricName: string, dimensionsMap: Record<string, string>, period: Duration): Metric {
  return new Metric({ namespace: 'AWS/DynamoDB', metricName, dimensionsMap, period, statistic: Stats.SUM });
}

function sum(metrics: readonly Metric[], { period, label }: { period: Duration; label: string }): MathExpression {
  const usingMetrics = Object.fromEntries(metrics.map((metric, index) => [`m${index}`, metric]));
  return new MathExpression({ expression: 'SUM(METRICS())', usingMetrics, period, label });
}
