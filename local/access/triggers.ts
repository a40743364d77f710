/**
 * What the template's own wiring needs, asked once when the stack starts: Lambda reads a stream or a queue with the permissions of the
 * function it calls, and a workflow calls functions with those of its own role. In the cloud such a trigger would be refused when it is
 * made, or would stand still.
 */
import { SyncError } from '../../protocol/sync-error.ts';
import { START_EXECUTION } from '../state-machine.ts';
import type { Wiring } from '../wiring.ts';
import { type Need, type Statement, isAllowed, resourceOf } from './statement.ts';

const STREAM = ['DescribeStream', 'GetRecords', 'GetShardIterator', 'ListStreams'].map((call) => `dynamodb:${call}`);
const QUEUE = ['ReceiveMessage', 'DeleteMessage', 'GetQueueAttributes'].map((call) => `sqs:${call}`);

type Triggers = Pick<Wiring, 'streamMappings' | 'queueMappings' | 'stateMachines'>;

interface Asking {
  readonly name: string;
  readonly permissions: readonly Statement[] | null;
  readonly needs: readonly Need[];
}

export function requireTriggers(triggers: Triggers): void {
  for (const { name, permissions, needs } of askings(triggers)) {
    const missing = needs.find((need) => permissions !== null && !permissions.some((one) => isAllowed(one, need)));
    if (missing !== undefined)
      throw new SyncError('LOCAL_STACK', `the role of ${name} lacks ${missing.action} on ${missing.resource}, which a trigger of it needs`);
  }
}

function askings({ streamMappings, queueMappings, stateMachines }: Triggers): Asking[] {
  return [
    ...streamMappings.map(({ table, function: { name, permissions }, onFailure }) => ({
      name,
      permissions,
      needs: [...needsOf(STREAM, table.streamArn), ...(onFailure === null ? [] : needsOf(['sqs:SendMessage'], onFailure.arn))],
    })),
    ...queueMappings.map(({ queue, function: { name, permissions } }) => ({ name, permissions, needs: needsOf(QUEUE, queue.arn) })),
    ...stateMachines.map(({ name, permissions, definition }) => ({
      name,
      permissions,
      needs: Object.values(definition.States).flatMap((state) => taskNeeds(state)),
    })),
  ];
}

/** A task names the function it calls, or the workflow that it starts in its parameters. */
function taskNeeds({ Resource, Parameters }: Wiring['stateMachines'][number]['definition']['States'][string]): Need[] {
  if (Resource === undefined) return [];
  if (!Resource.endsWith(START_EXECUTION)) return needsOf(['lambda:InvokeFunction'], Resource);
  return needsOf(['states:StartExecution'], String((Parameters as { StateMachineArn?: string } | undefined)?.StateMachineArn));
}

function needsOf(actions: readonly string[], arn: string): Need[] {
  return actions.map((action) => ({ action, resource: resourceOf(arn) }));
}
