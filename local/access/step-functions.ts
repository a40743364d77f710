/** What a request of Step Functions needs. */
import { type Needs, resourceOf } from './statement.ts';

export function statesNeeds(operation: string, body: unknown): Needs {
  if (operation !== 'StartExecution') return null;
  const { stateMachineArn = '' } = body as { stateMachineArn?: string };
  return [{ action: 'states:StartExecution', resource: resourceOf(stateMachineArn) }];
}
