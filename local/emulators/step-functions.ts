/**
 * The part of the Step Functions API that starting, stopping and watching an execution needs, over HTTP in the protocol of the real
 * SDK client (AWS JSON 1.0), on the loopback address only. Asks for a signed request, although the signature means nothing
 * here: a web page in a browser cannot send one without being asked first.
 */
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import * as z from 'zod';
import type { Execution } from '../state-file.ts';
import { type Executions, StatesError } from './executions.ts';

export interface StepFunctionsEmulator {
  readonly endpoint: string;
  /** Until then every request is answered with 503. */
  open(executions: Executions): void;
  close(): Promise<void>;
}

const executionSchema = z.object({ executionArn: z.string() });
const pageSchema = z.object({ maxResults: z.int().min(0).max(1_000).default(0), nextToken: z.string().regex(/^\d+$/).optional() });
const PAGE_DEFAULT = 100;

/** Every call the emulator knows, by the name in `x-amz-target`. */
const calls: Readonly<Record<string, (executions: Executions, request: unknown) => Promise<object> | object>> = {
  StartExecution: (executions, request) => {
    const schema = z.object({ stateMachineArn: z.string(), name: z.string().optional(), input: z.string().default('{}') });
    const { stateMachineArn: machineArn, name, input } = schema.parse(request);
    const { arn, startedAt } = executions.start({ machineArn, name, input });
    return { executionArn: arn, startDate: startedAt / 1_000 };
  },
  StopExecution: async (executions, request) => {
    const { executionArn, ...why } = executionSchema.extend({ error: z.string().optional(), cause: z.string().optional() }).parse(request);
    const { endedAt } = await executions.stop(executionArn, { error: why.error ?? null, cause: why.cause ?? null });
    return { stopDate: (endedAt ?? Date.now()) / 1_000 };
  },
  DescribeExecution: (executions, request) => {
    const execution = executions.describe(executionSchema.parse(request).executionArn);
    return {
      ...summary(execution),
      input: execution.input,
      ...present({ output: execution.output, error: execution.error, cause: execution.cause }),
    };
  },
  ListExecutions: (executions, request) => {
    const { stateMachineArn, statusFilter, ...page } = pageSchema
      .extend({ stateMachineArn: z.string(), statusFilter: z.string().optional() })
      .parse(request);
    const { items, next } = onePage(executions.list(stateMachineArn, statusFilter), page);
    return { executions: items.map((execution) => summary(execution)), ...next };
  },
  GetExecutionHistory: (executions, request) => {
    const { executionArn, reverseOrder, ...page } = pageSchema
      .extend({ executionArn: z.string(), reverseOrder: z.boolean().default(false) })
      .parse(request);
    const all = executions.history(executionArn).map((event, index) => ({ ...event, id: index + 1, previousEventId: index }));
    const { items, next } = onePage(reverseOrder ? all.toReversed() : all, page);
    return { events: items, ...next };
  },
};

export async function startStepFunctions(log: (message: string) => void): Promise<StepFunctionsEmulator> {
  let executions: Executions | null = null;
  const server = createServer((request, response) => {
    void answer(request, executions)
      .catch((error: Error) => {
        log(`${String(request.headers['x-amz-target'])}: ${error.stack ?? error.message}`);
        return refusal(500, new StatesError('InternalFailure', error.message));
      })
      .then((result) => write(response, result));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    endpoint: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`,
    open: (ready) => {
      executions = ready;
    },
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

interface Answer {
  readonly status: number;
  readonly type: string | null;
  readonly body: object;
}

async function answer(request: IncomingMessage, executions: Executions | null): Promise<Answer> {
  const body = await text(request);
  if (executions === null) return refusal(503, new StatesError('ServiceUnavailable', 'the local stack is starting'));
  if (request.headers.authorization === undefined)
    return refusal(403, new StatesError('AccessDeniedException', 'the request is not signed'));
  const call = calls[String(request.headers['x-amz-target']).replace('AWSStepFunctions.', '')];
  if (call === undefined)
    return refusal(400, new StatesError('UnknownOperationException', `${String(request.headers['x-amz-target'])} is not known here`));
  try {
    return { status: 200, type: null, body: await call(executions, JSON.parse(body)) };
  } catch (error) {
    if (error instanceof StatesError) return refusal(400, error);
    if (error instanceof z.ZodError || error instanceof SyntaxError)
      return refusal(400, new StatesError('ValidationException', error.message));
    throw error;
  }
}

function refusal(status: number, { name, message }: StatesError): Answer {
  return { status, type: name, body: { __type: name, message } };
}

function write(response: ServerResponse, { status, type, body }: Answer): void {
  const headers = { 'content-type': 'application/x-amz-json-1.0', ...(type === null ? {} : { 'x-amzn-errortype': type }) };
  response.writeHead(status, headers);
  response.end(JSON.stringify(body));
}

function summary({ arn, machineArn, name, status, startedAt, endedAt }: Execution): object {
  const stopDate = endedAt === null ? {} : { stopDate: endedAt / 1_000 };
  return { executionArn: arn, stateMachineArn: machineArn, name, status, startDate: startedAt / 1_000, ...stopDate };
}

function present(values: Readonly<Record<string, string | null>>): object {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null));
}

/** `nextToken` is the number of items before the page. */
function onePage<T>(all: readonly T[], { maxResults, nextToken }: z.infer<typeof pageSchema>): { items: readonly T[]; next: object } {
  const from = Number(nextToken ?? 0);
  const to = from + (maxResults === 0 ? PAGE_DEFAULT : maxResults);
  return { items: all.slice(from, to), next: to < all.length ? { nextToken: String(to) } : {} };
}
