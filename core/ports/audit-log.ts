import type { Role } from '../../protocol/role.ts';
import type { AuditChange, AuditEntry } from '../../protocol/messages/audit.ts';

/** Whoever asks something of the console. */
export interface Actor {
  readonly name: string;
  /** Who that is for certain: the provider's own id, which stays when a name changes. Of whoever has the account's permissions, the name. */
  readonly subject: string;
  readonly role: Role;
  /** `OIDC`: by a token of the organization's identity provider. `IAM`: by the account's own permissions. */
  readonly via: 'OIDC' | 'IAM';
}

/** What was asked of the console, by whom, and what came of it. Entries are added and never changed. */
export interface AuditLog {
  /** Before it is done: what cannot be written down is not done. */
  begin(entry: Omit<AuditEntry, 'outcome' | 'change'>): Promise<void>;
  end(auditId: string, end: { readonly outcome: string; readonly change: AuditChange | null }): Promise<void>;
  /** Of one month (`2026-11`), newest first. */
  list(request: { readonly month: string; readonly after: string | null; readonly limit: number }): Promise<{
    readonly entries: AuditEntry[];
    readonly next: string | null;
  }>;
}
