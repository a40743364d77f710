/**
 * May this function make this call? As IAM would say it from the template's policies, so that a permission that is missing is
 * found here and not in somebody's account. A call that no rule knows is refused too: let through, it would go unnoticed that
 * nobody checks it. What resources say of who may use them (policies of buckets, queues and keys) is not asked.
 */
import { dynamoNeeds } from './dynamodb.ts';
import type { IncomingHttpHeaders } from 'node:http';
import { missingNeeds, s3Needs } from './s3.ts';
import { sqsNeeds } from './sqs.ts';
import { type Need, type Needs, type Statement, isAllowed } from './statement.ts';
import { statesNeeds } from './step-functions.ts';

export type GuardedService = 'dynamodb' | 's3' | 'sqs' | 'sfn';

export interface GuardedRequest {
  readonly service: GuardedService;
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** S3 has answered that there is no such object, and asks whether that may be told. */
  readonly missing?: boolean;
}

/** Why not; null: it may. */
export function denialOf(statements: readonly Statement[], request: GuardedRequest): string | null {
  const needs = needsOf(request);
  if (needs === null || needs.length === 0) {
    const call = request.service === 's3' ? `${request.method} ${request.path}` : targetOf(request);
    return `not authorized: which permission ${request.service} ${call} takes is not known here; add it to local/access/`;
  }
  const missing = needs.find((need) => !statements.some((statement) => isAllowed(statement, need)));
  return missing === undefined ? null : describe(missing);
}

function describe({ action, resource, keys }: Need): string {
  return `not authorized to perform ${action} on ${resource}${keys === undefined ? '' : ` with the leading keys ${keys.join(', ')}`}`;
}

function needsOf(request: GuardedRequest): Needs {
  const { service, body, missing } = request;
  if (service === 's3') return missing === true ? missingNeeds(request.path) : s3Needs(request);
  const operation = targetOf(request).split('.')[1] ?? '';
  const asked = parsed(body);
  if (asked === null) return null;
  const needs = { dynamodb: dynamoNeeds, sqs: sqsNeeds, sfn: statesNeeds }[service];
  return needs(operation, asked);
}

/** The services that take JSON name the call in it. */
function targetOf({ headers }: GuardedRequest): string {
  return String(headers['x-amz-target']);
}

function parsed(body: Buffer): object | null {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    return typeof value === 'object' ? value : null;
  } catch {
    return null;
  }
}
