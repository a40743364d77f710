/** What a request of Step Functions needs. */
import type { Needs } from './statement.ts';

export function statesNeeds(operation: string, body: unknown): Needs {
  if (operation !== 'StartExecution') return null;
  const { stateMachineArn = '' } = body as { stateMachineArn?: string };
  return [{ action: 'states:StartExecution', resource: resourceOf(stateMachineArn) }];
}

/** What stands in an ARN after service, region and account. */
export function resourceOf(arn: string): string {
  return arn.split(':').slice(5).join(':');
}
