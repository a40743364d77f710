/**
 * Every error a user, an operator or another program can meet. The text is what an operator reads:
 * what happened, who sees it, what to do. `remedy` is what a program does.
 */

export type Remedy = 'retry' | 'retry-later' | 'reset-replica' | 'fix-input' | 'operator';

interface ErrorCode {
  readonly status: number;
  readonly remedy: Remedy;
  readonly what: string;
}

export const errorCodes = {
  INVALID_INPUT: {
    status: 400,
    remedy: 'fix-input',
    what: 'The request or file does not fit its schema. Nothing was stored. The message names the field.',
  },
  UNKNOWN_COLLECTION: { status: 400, remedy: 'fix-input', what: 'There is no such collection. `storeline components` lists them.' },
  COMPONENT_NOT_USED: {
    status: 400,
    remedy: 'fix-input',
    what: 'The component is declared but not used by the product; it is never transferred.',
  },
  COMPONENT_NOT_ENABLED: {
    status: 400,
    remedy: 'fix-input',
    what: 'The component is not part of what this store is licensed for. Head office changes the edition of a store.',
  },
  NOT_FOUND: { status: 404, remedy: 'fix-input', what: 'The record, store or object does not exist.' },
  ALREADY_EXISTS: { status: 409, remedy: 'fix-input', what: 'Something with this id exists already and was left as it is.' },
  UNAUTHORIZED: {
    status: 401,
    remedy: 'operator',
    what: 'The credential is missing, not ours, revoked or used wrongly. A store that was revoked is enrolled again; a person signs in again.',
  },
  FORBIDDEN: { status: 403, remedy: 'operator', what: 'Whoever asks is known, and their role may not do that.' },
  CLOCK_SKEW: {
    status: 401,
    remedy: 'retry',
    what: 'The store clock is off. The agent corrects itself from the server time in the answer and tries again.',
  },
  REPLAYED: {
    status: 401,
    remedy: 'retry',
    what: 'This very request came before, and it does something once. Nothing was done again. The agent signs it anew and sends it again.',
  },
  CODE_INVALID: {
    status: 401,
    remedy: 'operator',
    what: 'The one-time code is wrong, used or older than 24 hours. Create a new one with `storeline store code <store>`, or with `storeline store add` if there is no such store yet.',
  },
  ENROL_LIMIT: {
    status: 429,
    remedy: 'retry-later',
    what: 'Too many wrong one-time codes came from this address. No code is looked at until the hour is over; the message says how long that is.',
  },
  PROTOCOL_UNSUPPORTED: {
    status: 426,
    remedy: 'operator',
    what: 'The agent is too old or too new for this head office. Update the agent; it keeps selling meanwhile.',
  },
  FORK_LIMIT: {
    status: 429,
    remedy: 'operator',
    what: 'Data folders of this store were restored or copied more often than happens in a day. Find out why (replica-forked.md); it goes on by itself a day later.',
  },
  TOO_MANY_REPLICAS: {
    status: 409,
    remedy: 'operator',
    what: 'A code that replaces can take the place of 90 replicas at most. Revoke some that are not heard of (`storeline store revoke --replica … --only`), and enrol again.',
  },
  LOOKUP_LIMIT: {
    status: 429,
    remedy: 'retry-later',
    what: 'This store has looked up as many customers as it may in an hour. What it looked up today it still has.',
  },
  REDEMPTION_NEEDS_HEAD_OFFICE: {
    status: 409,
    remedy: 'operator',
    what: 'Points or a coupon cannot be redeemed on the word of this store alone. Nothing was recorded. Ask head office (`agent redeem`); the message says which ceiling was met.',
  },
  OUT_OF_SCOPE: { status: 403, remedy: 'fix-input', what: 'The store may not read this feed.' },
  SNAPSHOT_GONE: { status: 410, remedy: 'retry', what: 'The snapshot was replaced by a newer one. Ask for a plan again.' },
  INTEGRITY: {
    status: 500,
    remedy: 'retry',
    what: 'Bytes or rows do not have the digest they should. The bad part is discarded and fetched again.',
  },
  STORAGE_FULL: { status: 507, remedy: 'operator', what: 'The disk is full. Nothing was half-written; free space and start again.' },
  FOLDER_NOT_PRIVATE: {
    status: 500,
    remedy: 'operator',
    what: 'The data folder could not be kept from other users of this machine. Nothing was enrolled. Run the agent as the user who owns the folder.',
  },
  REPLICA_BUSY: { status: 409, remedy: 'retry-later', what: 'Another agent process works on this data folder. Stop it, or wait for it.' },
  OUTBOX_GAP: {
    status: 409,
    remedy: 'retry',
    what: 'Head office has fewer of this replica’s entries than it was told. The agent sends again from there.',
  },
  REPLICA_FORKED: {
    status: 409,
    remedy: 'reset-replica',
    what: 'This data folder was restored or copied: head office knows another past of it. It takes a new replica id and keeps its unsent writes.',
  },
  OUTBOX_DAMAGED: {
    status: 500,
    remedy: 'operator',
    what: 'The file with the store’s unsent writes cannot be read. It is left as it is. Stop the agent, keep a copy, and restore the data folder from a backup; what head office has already is not doubled.',
  },
  FRESH_NOT_COMPLETE: {
    status: 409,
    remedy: 'retry-later',
    what: 'A delta was asked for before the fresh sync is complete. Nothing was changed. The message names what is outstanding.',
  },
  NOT_ENROLLED: {
    status: 409,
    remedy: 'operator',
    what: 'This data folder has no identity yet. Run `agent enrol` with a code from head office.',
  },
  NOT_COMPLETE: { status: 409, remedy: 'retry-later', what: 'The sync is not complete yet. The message says what is outstanding.' },
  CONNECTIVITY: { status: 503, remedy: 'retry-later', what: 'Head office cannot be reached, or something answered in its place.' },
  UNAVAILABLE: { status: 503, remedy: 'retry-later', what: 'Head office is busy. Wait as long as the answer says and try again.' },
  CONFLICT: { status: 409, remedy: 'retry', what: 'Somebody else wrote the same thing at the same time. Read again and retry.' },
  LOCAL_STACK: {
    status: 500,
    remedy: 'operator',
    what: 'The local stack cannot start or stopped. The message says which part and what to do.',
  },
  AWS_CREDENTIALS: {
    status: 401,
    remedy: 'operator',
    what: 'Nothing was changed. Sign in to AWS, or name a profile that is signed in (`--profile`), and try again.',
  },
  AWS_ACCOUNT: {
    status: 403,
    remedy: 'operator',
    what: 'Nothing was changed. Use credentials of the account and role that deploy this organization (`--profile`).',
  },
  NOT_READY: {
    status: 409,
    remedy: 'operator',
    what: 'The account, or what is deployed there, is not ready for this. Nothing was changed. The message says what to do first.',
  },
  RULE_BROKEN: {
    status: 500,
    remedy: 'operator',
    what: 'The template breaks a rule that nobody acknowledged. Nothing was changed. It is mended in the source.',
  },
  DEPLOYMENT_FAILED: {
    status: 500,
    remedy: 'operator',
    what: 'AWS refused or rolled back; its reason stands above. What was deployed before stands. Mend it and say the command again.',
  },
  INTERNAL: { status: 500, remedy: 'operator', what: 'A bug. The log has the details under the request id.' },
} as const satisfies Record<string, ErrorCode>;

export type ErrorCodeName = keyof typeof errorCodes;
