import type { AuditChange } from '../../protocol/messages/audit.ts';

/** What an operation answers, and what it says of itself for the audit. */
export interface Done {
  readonly answer: object;
  /** null: it only looked. */
  readonly change: AuditChange | null;
}

export function looked(answer: object): Done {
  return { answer, change: null };
}

export function changed(answer: object, before: AuditChange['before'], after: AuditChange['after']): Done {
  return { answer, change: { before, after } };
}
