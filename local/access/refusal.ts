/** Access that is denied, said as each service says it, so that a function's client raises its real error. */
import type { GuardedRequest } from './denial.ts';

interface Refusal {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export function refusalOf({ service, method }: Pick<GuardedRequest, 'service' | 'method'>, message: string): Refusal {
  if (service === 's3') {
    const text = message.replace(/[<>&]/g, (character) => `&#${character.charCodeAt(0)};`);
    const xml = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>AccessDenied</Code><Message>${text}</Message></Error>`;
    return { status: 403, headers: { 'content-type': 'application/xml' }, body: method === 'HEAD' ? '' : xml };
  }
  const body = JSON.stringify({ __type: 'com.amazon.coral.service#AccessDeniedException', Message: message, message });
  return { status: 400, headers: { 'content-type': 'application/x-amz-json-1.0' }, body };
}
