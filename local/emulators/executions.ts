/**
 * Executions of the template's state machines, by the interpreter `aws-local-stepfunctions`, with tasks that are the functions of
 * this stack. By Step Functions' rules for names: the same name and input as one that runs is that one, anything else under a
 * name that was used is refused.
 *
 * What runs is written down, and after a restart or a crash it begins again from its input: a history of what happened so far is
 * not enough for this interpreter to go on from. A step is so done again, which the cloud does not rule out either.
 */
import { randomUUID } from 'node:crypto';
import { StateMachine, type StateMachineDefinition as Definition } from 'aws-local-stepfunctions';
import { SyncError } from '../../protocol/sync-error.ts';
import type { LocalFunctions } from '../runner/local-functions.ts';
import type { Execution, StateFile } from '../state-file.ts';
import { START_EXECUTION, type StateMachineDefinition } from '../state-machine.ts';
import { type HistoryEvent, type InterpreterEvent, historyEvent } from './execution-history.ts';

interface Options {
  readonly machines: readonly StateMachineDefinition[];
  readonly state: StateFile;
  readonly functions: Pick<LocalFunctions, 'invoke'>;
  /** How long a state waits here instead of what its definition says, in milliseconds by its name. */
  readonly waits: Readonly<Record<string, number>>;
  /** Told of every transition the cloud would bill. */
  readonly onTransition: (machine: StateMachineDefinition) => void;
  readonly log: (message: string) => void;
}

/** Named as the service names them. */
export class StatesError extends Error {
  constructor(name: string, message: string) {
    super(message);
    this.name = name;
  }
}

interface Running {
  readonly abort: () => void;
  readonly done: Promise<void>;
  /** In a state that waits for time only. */
  waiting: boolean;
}

const NAME = /^[\w.+-]{1,80}$/;

export class Executions {
  readonly #options: Options;
  readonly #running = new Map<string, Running>();
  readonly #machines = new Map<string, StateMachine>();
  #closing = false;

  constructor(options: Options) {
    this.#options = options;
    for (const name of Object.keys(options.waits)) {
      if (!options.machines.some(({ definition }) => definition.States[name]?.Type === 'Wait'))
        throw new SyncError('LOCAL_STACK', `no state machine of the template has a state "${name}" that waits, so it cannot be shortened`);
    }
    for (const execution of options.state.executions()) {
      if (execution.status === 'RUNNING') this.#beginAgain(execution);
    }
  }

  /** Executions that do something now. One that waits does not count. */
  get busy(): number {
    return [...this.#running.values()].filter(({ waiting }) => !waiting).length;
  }

  start({ machineArn, name = randomUUID(), input }: { machineArn: string; name?: string | undefined; input: string }): Execution {
    const machine = this.#machine(machineArn);
    if (!NAME.test(name)) throw new StatesError('InvalidName', `Invalid Name: '${name}'`);
    if (!isJson(input)) throw new StatesError('InvalidExecutionInput', 'the input is not JSON');
    const arn = `${machine.arn.replace(':stateMachine:', ':execution:')}:${name}`;
    const before = this.#options.state.execution(arn);
    if (before?.status === 'RUNNING' && before.input === input) return before;
    if (before !== null) throw new StatesError('ExecutionAlreadyExists', `Execution Already Exists: '${arn}'`);
    const execution: Execution = {
      arn,
      machineArn,
      name,
      input,
      status: 'RUNNING',
      startedAt: Date.now(),
      endedAt: null,
      output: null,
      error: null,
      cause: null,
    };
    this.#options.state.saveExecution(execution);
    this.#begin(execution);
    return execution;
  }

  /** One that is over stays as it is. */
  async stop(arn: string, { error = null, cause = null }: { error?: string | null; cause?: string | null }): Promise<Execution> {
    const execution = this.describe(arn);
    const running = this.#running.get(arn);
    if (execution.status !== 'RUNNING' || running === undefined) return execution;
    const stopped = this.#end(execution, { status: 'ABORTED', error, cause });
    running.abort();
    await running.done;
    return stopped;
  }

  describe(arn: string): Execution {
    const execution = this.#options.state.execution(arn);
    if (execution === null) throw new StatesError('ExecutionDoesNotExist', `Execution Does Not Exist: '${arn}'`);
    return execution;
  }

  /** Newest first. */
  list(machineArn: string, status?: string): Execution[] {
    const { arn } = this.#machine(machineArn);
    const all = this.#options.state.executions().filter((one) => one.machineArn === arn);
    return all.filter((one) => status === undefined || one.status === status).toReversed();
  }

  history(arn: string): HistoryEvent[] {
    return this.#options.state.executionEvents(this.describe(arn).arn).map((text) => JSON.parse(text) as HistoryEvent);
  }

  /** Ends what runs in this process; it stays written down as running. */
  async close(): Promise<void> {
    this.#closing = true;
    const running = [...this.#running.values()];
    for (const { abort } of running) abort();
    await Promise.all(running.map(({ done }) => done));
  }

  #beginAgain(execution: Execution): void {
    const { machines, log } = this.#options;
    if (machines.some(({ arn }) => arn === execution.machineArn)) {
      this.#begin(execution);
      return;
    }
    log(`execution ${execution.name} is not gone on with: there is no ${execution.machineArn} any more`);
    this.#end(execution, { status: 'ABORTED' });
  }

  #begin(execution: Execution): void {
    const machine = this.#machine(execution.machineArn);
    this.#options.state.clearExecutionEvents(execution.arn);
    const started = new AbortController();
    const run = this.#interpreter(machine).run(JSON.parse(execution.input) as Parameters<StateMachine['run']>[0], {
      overrides: { taskResourceLocalHandlers: this.#tasks(machine, started.signal), waitTimeOverrides: { ...this.#options.waits } },
      context: {
        Execution: { Id: execution.arn, Name: execution.name },
        StateMachine: { Id: machine.arn, Name: machine.name },
      },
    });
    const abort = () => {
      started.abort();
      run.abort();
    };
    const running: Running = { abort, waiting: false, done: this.#follow(execution, machine, run) };
    this.#running.set(execution.arn, running);
  }

  async #follow(execution: Execution, machine: StateMachineDefinition, run: ReturnType<StateMachine['run']>): Promise<void> {
    const ended = run.result.then(
      (output) => ({ status: 'SUCCEEDED' as const, output: JSON.stringify(output) }),
      ({ cause }: Error) => ({
        status: 'FAILED' as const,
        error: (cause as Error | undefined)?.name ?? null,
        cause: (cause as Error | undefined)?.message ?? null,
      }),
    );
    for await (const event of run.eventLogs) {
      if (this.#closing) break;
      this.#note(execution.arn, machine, event);
    }
    const end = await ended;
    this.#running.delete(execution.arn);
    // Stopped, or this process is ending: not for the interpreter to say.
    if (this.#closing || this.describe(execution.arn).status !== 'RUNNING') return;
    this.#end(execution, end);
    if (end.status === 'FAILED') this.#options.log(`execution ${execution.name} of ${machine.name} failed: ${end.error}: ${end.cause}`);
  }

  #note(arn: string, machine: StateMachineDefinition, event: InterpreterEvent): void {
    if (event.type === 'StateEntered' || event.type === 'StateRetried') this.#options.onTransition(machine);
    const running = this.#running.get(arn);
    if (event.type === 'StateEntered' && running !== undefined) running.waiting = event.state.type === 'Wait';
    const told = historyEvent(event);
    if (told !== null) this.#options.state.addExecutionEvent(arn, JSON.stringify(told));
  }

  #end(execution: Execution, end: Partial<Execution>): Execution {
    const over: Execution = { ...execution, ...end, endedAt: Date.now() };
    this.#options.state.saveExecution(over);
    return over;
  }

  /** What each task does, by its name. An execution that was stopped asks for nothing more, whatever its retries say. */
  #tasks(machine: StateMachineDefinition, stopped: AbortSignal): Record<string, (input: unknown) => Promise<never>> {
    const tasks = Object.entries(machine.definition.States).filter(([, state]) => state.Type === 'Task');
    return Object.fromEntries(
      tasks.map(([name, { Resource = '' }]) => [
        name,
        async (input: unknown) => {
          stopped.throwIfAborted();
          return (Resource.endsWith(START_EXECUTION) ? this.#startAgain(input) : await this.#invoke(Resource, input)) as never;
        },
      ]),
    );
  }

  async #invoke(functionArn: string, input: unknown): Promise<unknown> {
    const { result } = await this.#options.functions.invoke(functionArn.slice(functionArn.lastIndexOf(':') + 1), JSON.stringify(input));
    if (result.ok) return JSON.parse(result.payload) as unknown;
    // As the service does: the error is named by the function's payload, and the payload is its cause.
    throw new StatesError(result.error.errorType, JSON.stringify(result.error));
  }

  #startAgain(input: unknown): object {
    const { StateMachineArn: machineArn, Name: name, Input } = input as { StateMachineArn: string; Name?: string; Input: unknown };
    const { arn, startedAt } = this.start({ machineArn, name, input: JSON.stringify(Input) });
    return { ExecutionArn: arn, StartDate: startedAt / 1_000 };
  }

  /** Made once, because it validates the definition, which takes longer than most executions. The copy is for it to write into. */
  #interpreter({ arn, definition }: StateMachineDefinition): StateMachine {
    const made = this.#machines.get(arn) ?? new StateMachine(structuredClone(definition) as unknown as Definition);
    this.#machines.set(arn, made);
    return made;
  }

  #machine(arn: string): StateMachineDefinition {
    const machine = this.#options.machines.find((one) => one.arn === arn);
    if (machine === undefined) throw new StatesError('StateMachineDoesNotExist', `State Machine Does Not Exist: '${arn}'`);
    return machine;
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
