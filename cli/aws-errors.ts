import { SyncError } from '../protocol/sync-error.ts';

/** What the AWS SDK throws, after retries of its own, as an error of ours; what is unknown stays what it is. */
const BUSY = new Set(['TooManyRequestsException', 'ServiceException', 'ThrottlingException', 'Throttling']);
const UNREACHABLE = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN', 'TimeoutError']);
const NOBODY = new Set([
  'CredentialsProviderError',
  'ExpiredToken',
  'ExpiredTokenException',
  'InvalidClientTokenId',
  'InvalidSignatureException',
  'SignatureDoesNotMatch',
  'TokenProviderError',
  'UnrecognizedClientException',
]);
const NOT_ALLOWED = new Set(['AccessDenied', 'AccessDeniedException', 'UnauthorizedOperation']);

/** `who`: what is asked, as an error names it. */
export function typedError(error: unknown, who: string): unknown {
  if (!(error instanceof Error)) return error;
  const { name, message, code = '' } = error as NodeJS.ErrnoException;
  if (BUSY.has(name)) return new SyncError('UNAVAILABLE', message, { cause: error });
  if (NOBODY.has(name)) return new SyncError('AWS_CREDENTIALS', `${who} takes no credentials from here: ${message}`, { cause: error });
  if (NOT_ALLOWED.has(name)) return new SyncError('AWS_ACCOUNT', `${who} does not allow it: ${message}`, { cause: error });
  if (name === 'ResourceNotFoundException')
    return new SyncError(
      'NOT_READY',
      `${who} is not as this machine knows it (${message}); \`storeline org outputs --refresh\` reads it anew`,
      { cause: error },
    );
  if (UNREACHABLE.has(name) || UNREACHABLE.has(code))
    return new SyncError('CONNECTIVITY', `${who} does not answer: ${message || code}`, { cause: error });
  return error;
}
