import { type SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import type { FreshWorkflows } from '../../core/ports/fresh-workflows.ts';
import type { FreshWorkflowInput } from '../../protocol/messages/fresh-run.ts';
import { translated } from './aws-errors.ts';

/** One execution a run. A name is refused for 90 days after its execution is over; a run does not come again after that. */
export class SfnFreshWorkflows implements FreshWorkflows {
  readonly #client: SFNClient;
  readonly #stateMachineArn: string;

  constructor(client: SFNClient, stateMachineArn: string) {
    this.#client = client;
    this.#stateMachineArn = stateMachineArn;
  }

  async start({ storeId, runId }: Omit<FreshWorkflowInput, 'check'>): Promise<void> {
    const input: FreshWorkflowInput = { storeId, runId, check: 0 };
    const command = new StartExecutionCommand({ stateMachineArn: this.#stateMachineArn, name: runId, input: JSON.stringify(input) });
    try {
      await translated('start the workflow of a fresh run', this.#client.send(command));
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'ExecutionAlreadyExists') throw error;
    }
  }
}
