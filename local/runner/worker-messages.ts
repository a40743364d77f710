/** What the stack and a function's thread say to each other. Events and answers are JSON text, as in Lambda. */

export interface WorkerStart {
  readonly file: string;
  readonly exportName: string;
}

export interface InvokeMessage {
  readonly event: string;
  readonly context: {
    readonly awsRequestId: string;
    readonly functionName: string;
    readonly invokedFunctionArn: string;
    readonly memoryLimitInMB: string;
    readonly logGroupName: string;
    readonly deadlineMs: number;
  };
}

/** As Lambda writes it into the payload of a failed invocation. */
export interface FunctionError {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly trace?: readonly string[];
}

export type InvokeResult = { readonly ok: true; readonly payload: string } | { readonly ok: false; readonly error: FunctionError };

export type WorkerMessage = { readonly ready: true } | { readonly initError: FunctionError } | { readonly result: InvokeResult };
