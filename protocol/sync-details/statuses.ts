import { ATTRIBUTE_STATUSES, RECEIPT_STATUSES, type ReceiptStatus, WAITING_STATUSES, type WaitingStatus } from '../operation.ts';

/**
 * The words for what becomes of a record and of an attribute, with what they mean to whoever looks at a store
 * (domain page, sections 6.3 and 6.4). A status without a description does not compile. Which of them a record or an
 * attribute can have follows from its rule (`occurring.ts`).
 */
export const UP_STATUSES = [...WAITING_STATUSES, ...RECEIPT_STATUSES] as const;
type UpStatus = WaitingStatus | ReceiptStatus;

/** Who has to do something for the record to get further; `nobody`: this is how it ends. */
export const NEXT_STEPS = ['system', 'person', 'nobody'] as const;

interface UpStatusText {
  readonly next: (typeof NEXT_STEPS)[number];
  readonly description: string;
}

export const upStatusTexts: Readonly<Record<UpStatus, UpStatusText>> = {
  PENDING: { next: 'system', description: 'Recorded in the store; waits to be sent.' },
  SENDING: { next: 'system', description: 'Given to head office, which has not said yet what becomes of it.' },
  UNCONFIRMED: {
    next: 'system',
    description: 'Sent, and nobody knows whether it arrived. The same is sent again, and head office takes it once.',
  },
  RETRY_WAIT: { next: 'system', description: 'Head office was busy; it is sent again with the next sync.' },
  ACCEPTED: { next: 'nobody', description: 'Stored, with everything it says.' },
  ACCEPTED_EFFECTS_PENDING: {
    next: 'nobody',
    description: 'Stored. What head office computes of it, such as points, follows by download.',
  },
  ACCEPTED_WITH_WARNINGS: { next: 'nobody', description: 'Stored, but for the attributes that the receipt names.' },
  DUPLICATE: { next: 'nobody', description: 'Head office had the same already; nothing was written twice.' },
  MERGED: {
    next: 'nobody',
    description: 'Stored into a record that had changed meanwhile, field by field; the result comes down.',
  },
  SUPERSEDED: {
    next: 'nobody',
    description: 'Nothing of it was needed: something newer stands.',
  },
  CONFLICT: {
    next: 'person',
    description: 'No rule can decide it, so nothing was applied: the same key with other content, or a value that is spent already.',
  },
  REJECTED: { next: 'person', description: 'Refused. The same data will never pass; the receipt says why.' },
  QUARANTINED: { next: 'person', description: 'It breaks processing, so it was taken out and holds up nothing behind it.' },
  HELD: { next: 'system', description: 'Waits for a record it belongs to, and is judged again when that is there.' },
  AWAITING_APPROVAL: { next: 'person', description: 'Stored as a request: somebody at head office has to say yes or no.' },
  CORRECTED: { next: 'nobody', description: 'Closed by another record that takes its place.' },
  DISCARDED: { next: 'nobody', description: 'Closed unsent by a person who said why; never by itself.' },
};

/**
 * What becomes of a record that comes down. Stores keep no list of these: they are what an agent does with a change.
 * A page is applied whole, in one transaction, and refers to nothing outside itself; so no record is received and not
 * applied, none waits for its parent, and none fails alone.
 */
export const DOWN_STATUSES = ['APPLIED', 'SKIPPED_OLDER', 'LOCAL_EDIT_PENDING', 'REMOVED'] as const;
type DownStatus = (typeof DOWN_STATUSES)[number];

export const downStatusTexts: Readonly<Record<DownStatus, string>> = {
  APPLIED: "It stands in the store's replica.",
  SKIPPED_OLDER: 'The replica had the same or a newer revision already, which stays.',
  LOCAL_EDIT_PENDING:
    "It stands in the replica, and the store's user still sees what was recorded here over it, until head office's answer has come down.",
  REMOVED: 'It left the replica: deleted or erased at head office, or no longer for this store.',
};

/** What an attribute can be besides what a receipt says of it. */
export const HELD_ATTRIBUTE_STATUSES = ['SYNCED', 'PENDING_UPLOAD', 'PENDING_DOWNLOAD', 'STALE', 'WITHHELD'] as const;
export const ALL_ATTRIBUTE_STATUSES = [...HELD_ATTRIBUTE_STATUSES, ...ATTRIBUTE_STATUSES] as const;
export type AttributeStatus = (typeof ALL_ATTRIBUTE_STATUSES)[number];

export const attributeStatusTexts: Readonly<Record<AttributeStatus, string>> = {
  SYNCED: "The store has head office's value, as of the time its component says.",
  PENDING_UPLOAD:
    "Recorded in the store and not in head office's row yet. The store's user sees the recorded value, and the record is pending.",
  PENDING_DOWNLOAD: 'Head office has decided about what was recorded here, and its value has not come down yet.',
  STALE: 'Head office computes it, and what stands here is older than its component should be.',
  WITHHELD: 'Not sent to stores, and refused from them. It is not empty; it is not available here.',
  CLOUD_OVERRIDDEN: "Head office kept another value; the store's is kept in the audit.",
  NOT_ALLOWED: 'A store may not set it, or not to this; the rest of the record is judged without it.',
  INVALID: 'It is no value of this attribute. The record is taken without it, unless it must have it.',
  TAKEN: 'The identifier belongs to another customer.',
  AWAITING_APPROVAL: 'A request for it is open at head office.',
};
