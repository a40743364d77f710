import type { AuditLog } from '../../../core/ports/audit-log.ts';
import type { AuditEntry } from '../../../protocol/messages/audit.ts';

export class MemoryAuditLog implements AuditLog {
  readonly entries: AuditEntry[] = [];

  begin(entry: Parameters<AuditLog['begin']>[0]): Promise<void> {
    if (this.entries.some(({ auditId }) => auditId === entry.auditId)) return Promise.reject(new Error('it is there already'));
    this.entries.push({ ...entry, outcome: null, change: null });
    return Promise.resolve();
  }

  end(auditId: string, end: Parameters<AuditLog['end']>[1]): Promise<void> {
    const at = this.entries.findIndex((entry) => entry.auditId === auditId);
    const entry = this.entries[at];
    if (entry !== undefined && entry.outcome === null) this.entries[at] = { ...entry, ...end };
    return Promise.resolve();
  }

  list({ month, after, limit }: Parameters<AuditLog['list']>[0]): ReturnType<AuditLog['list']> {
    const found = this.entries.filter(({ at, auditId }) => at.startsWith(month) && (after === null || auditId < after)).toReversed();
    const entries = found.slice(0, limit);
    return Promise.resolve({ entries, next: found.length > limit ? (entries.at(-1)?.auditId ?? null) : null });
  }
}
