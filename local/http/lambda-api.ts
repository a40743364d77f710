/**
 * The Invoke call of the Lambda API, so that the real SDK client works against the local stack. Asks for a signed
 * request like the real one, although the signature means nothing here: a web page in a browser cannot send one
 * without being asked first, and so cannot call functions of somebody who runs a local stack.
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { LocalFunctions } from '../runner/local-functions.ts';
import type { GatewayResponse } from './gateway.ts';

const PATH = /^\/2015-03-31\/functions\/([^/]+)\/invocations$/;
/** Synchronous and asynchronous payloads. */
const SYNC_BYTES_MAX = 6 << 20;
const EVENT_BYTES_MAX = 1 << 20;

export function invokedFunction(method: string | undefined, path: string): string | null {
  const match = method === 'POST' ? PATH.exec(path) : null;
  return match === null ? null : functionName(decodeURIComponent(match[1] ?? ''));
}

export async function invokeApi(
  functions: LocalFunctions,
  name: string,
  request: { headers: IncomingHttpHeaders; body: Buffer },
): Promise<GatewayResponse> {
  const isEvent = request.headers['x-amz-invocation-type'] === 'Event';
  const bytesMax = isEvent ? EVENT_BYTES_MAX : SYNC_BYTES_MAX;
  if (request.headers.authorization === undefined) return refusal(403, 'AccessDeniedException', 'the request is not signed');
  if (!functions.has(name)) return refusal(404, 'ResourceNotFoundException', `Function not found: ${name}`);
  if (request.body.length > bytesMax) return refusal(413, 'RequestTooLargeException', `the payload has more than ${bytesMax} bytes`);
  const event = request.body.length === 0 ? '{}' : request.body.toString('utf8');
  if (!isJson(event)) return refusal(400, 'InvalidRequestContentException', 'the payload is not JSON');
  if (isEvent) {
    functions.invokeEvent(name, event);
    return { status: 202, headers: {}, body: '' };
  }
  const { requestId, result } = await functions.invoke(name, event);
  const headers = { 'content-type': 'application/json', 'x-amz-executed-version': '$LATEST', 'x-amzn-requestid': requestId };
  if (!result.ok) return { status: 200, headers: { ...headers, 'x-amz-function-error': 'Unhandled' }, body: JSON.stringify(result.error) };
  if (Buffer.byteLength(result.payload) <= SYNC_BYTES_MAX) return { status: 200, headers, body: result.payload };
  const tooLarge = { errorType: 'Function.ResponseSizeTooLarge', errorMessage: `the answer has more than ${SYNC_BYTES_MAX} bytes` };
  return { status: 200, headers: { ...headers, 'x-amz-function-error': 'Unhandled' }, body: JSON.stringify(tooLarge) };
}

function refusal(status: number, type: string, message: string): GatewayResponse {
  const headers = { 'content-type': 'application/json', 'x-amzn-errortype': type };
  return { status, headers, body: JSON.stringify({ Type: 'User', Message: message, message }) };
}

/** A function is named by its name, with or without a version, or by its ARN. */
function functionName(identifier: string): string {
  const parts = identifier.split(':');
  return (parts[0] === 'arn' ? parts[6] : parts[0]) ?? identifier;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
