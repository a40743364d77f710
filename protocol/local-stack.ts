import * as z from 'zod';

/**
 * The line `storeline local` prints when it is up; the same object stands in `<dir>/stack.json` while it runs,
 * so that commands with `--dir` find it.
 */
export const localStackSchema = z.object({
  ready: z.literal(true),
  pid: z.int(),
  organization: z.string(),
  region: z.string(),
  /** Base URL of the HTTP API. */
  api: z.string(),
  /** URL of a read-only page of stores and certificates. */
  console: z.string(),
  endpoints: z.object({ dynamodb: z.string(), s3: z.string(), sqs: z.string(), lambda: z.string(), sfn: z.string() }),
  /** Logical part to physical name: records, feeds, stores. */
  tables: z.record(z.string(), z.string()),
  buckets: z.record(z.string(), z.string()),
  queues: z.record(z.string(), z.string()),
  /** Function folder name to physical name: `console-api`, `compact`, … */
  functions: z.record(z.string(), z.string()),
  /** Part to ARN of the state machine: `fresh-sync`. */
  workflows: z.record(z.string(), z.string()),
  /** Of this machine's identity provider, and the secret of the client of each role, and of `other-admin`: `client_credentials` gives a token. */
  identity: z.object({
    issuer: z.string(),
    secrets: z.record(z.string(), z.string()),
    /** The public client of the command line, by which people sign in. */
    clientId: z.string(),
  }),
});
export type LocalStack = z.infer<typeof localStackSchema>;

/** `GET <api>/_local/state`: whether everything written to main data has reached the feeds. */
export const localStateSchema = z.object({
  idle: z.boolean(),
  /** Stream records read but not yet taken by their function, queue messages not yet deleted, workflows that do not just wait. */
  pending: z.record(z.string(), z.int()),
  /** Invocations and failed invocations since start, per function. */
  invocations: z.record(z.string(), z.object({ count: z.int(), failed: z.int() })),
});
export type LocalState = z.infer<typeof localStateSchema>;

const priced = z.object({ counts: z.record(z.string(), z.number()), usd: z.number() });

/** `GET <api>/_local/cost`: what the cloud would have billed for since the stack was started. */
export const costReportSchema = z.object({
  pricesAsOf: z.string(),
  total: priced,
  /** By the function that asked; `store` is what stores ask for themselves. */
  operations: z.array(priced.extend({ name: z.string() })),
  /** Requests of each store and the bytes of their answers. */
  stores: z.array(priced.extend({ storeId: z.string() })),
});
export type CostReport = z.infer<typeof costReportSchema>;
