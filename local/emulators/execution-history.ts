/**
 * What the interpreter tells of an execution, in the form of Step Functions' own history, as far as it goes: the interpreter
 * does not tell apart that a function was scheduled, started and ended, so of these there is only that it failed.
 */
import type { StateMachine } from 'aws-local-stepfunctions';

export type InterpreterEvent = ReturnType<StateMachine['run']>['eventLogs'] extends AsyncGenerator<infer Event> ? Event : never;

/** One event as `GetExecutionHistory` gives it, but for its number. */
export interface HistoryEvent {
  readonly type: string;
  /** Seconds since the epoch. */
  readonly timestamp: number;
  readonly [details: `${string}Details`]: object;
}

/** null: the service's history has no such event. */
export function historyEvent(event: InterpreterEvent): HistoryEvent | null {
  const details = detailsOf(event);
  return details === null ? null : { timestamp: event.timestamp / 1_000, ...details };
}

function detailsOf(event: InterpreterEvent): Omit<HistoryEvent, 'timestamp'> | null {
  if (event.type === 'ExecutionStarted') return { type: event.type, executionStartedEventDetails: { input: JSON.stringify(event.input) } };
  if (event.type === 'ExecutionSucceeded')
    return { type: event.type, executionSucceededEventDetails: { output: JSON.stringify(event.output) } };
  if (event.type === 'ExecutionFailed') return { type: event.type, executionFailedEventDetails: failure(event) };
  if (event.type === 'ExecutionAborted') return { type: event.type, executionAbortedEventDetails: {} };
  if (event.type === 'StateFailed') return { type: 'LambdaFunctionFailed', lambdaFunctionFailedEventDetails: failure(event) };
  if (event.type === 'StateEntered') {
    const { name, type, input } = event.state;
    return { type: `${type}StateEntered`, stateEnteredEventDetails: { name, input: JSON.stringify(input) } };
  }
  if (event.type !== 'StateExited') return null;
  const { name, type, output } = event.state;
  return { type: `${type}StateExited`, stateExitedEventDetails: { name, output: JSON.stringify(output) } };
}

function failure({ Error: error, Cause: cause }: { readonly Error: string; readonly Cause: unknown }): object {
  return { error, cause: typeof cause === 'string' ? cause : JSON.stringify(cause) };
}
