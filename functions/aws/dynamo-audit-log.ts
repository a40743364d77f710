import { type DynamoDBDocumentClient, PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import type { AuditLog } from '../../core/ports/audit-log.ts';
import { auditEntrySchema } from '../../protocol/messages/audit.ts';
import { translated } from './aws-errors.ts';

/**
 * The audit in a table of its own: `pk` = the month, `sk` = the entry's id, which begins with its time, and `<id>#end` for what
 * came of it. No role of ours may update or delete there (`infra/constructs/access.ts`); a put would take the place of an entry, and
 * only the condition of the one put here keeps it from that.
 */
const begunSchema = auditEntrySchema.omit({ outcome: true, change: true });
const endSchema = auditEntrySchema.pick({ outcome: true, change: true }).extend({ change: auditEntrySchema.shape.change.default(null) });
const NO_END = { outcome: null, change: null };

export class DynamoAuditLog implements AuditLog {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async begin(entry: Parameters<AuditLog['begin']>[0]): Promise<void> {
    await this.#add({ pk: monthOf(entry.auditId), sk: entry.auditId, ...entry });
  }

  async end(auditId: string, end: Parameters<AuditLog['end']>[1]): Promise<void> {
    await this.#add({ pk: monthOf(auditId), sk: `${auditId}#end`, ...end });
  }

  async list({ month, after, limit }: Parameters<AuditLog['list']>[0]): ReturnType<AuditLog['list']> {
    const query = new QueryCommand({
      TableName: this.#table,
      KeyConditionExpression: after === null ? 'pk = :pk' : 'pk = :pk AND sk < :after',
      ExpressionAttributeValues: { ':pk': month, ...(after === null ? {} : { ':after': after }) },
      ScanIndexForward: false,
      // Each entry with its end, and one more with its own.
      Limit: limit * 2 + 2,
    });
    const { Items: items = [] } = await translated('read the audit', this.#client.send(query));
    const ends = new Map(
      items.filter((item) => String(item['sk']).endsWith('#end')).map((item) => [String(item['sk']).slice(0, -4), endSchema.parse(item)]),
    );
    const begun = items.filter((item) => !String(item['sk']).endsWith('#end')).map((item) => begunSchema.parse(item));
    const entries = begun.slice(0, limit).map((entry) => ({ ...entry, ...(ends.get(entry.auditId) ?? NO_END) }));
    return { entries, next: begun.length > limit ? (entries.at(-1)?.auditId ?? null) : null };
  }

  async #add(Item: Record<string, unknown>): Promise<void> {
    const put = new PutCommand({ TableName: this.#table, Item, ConditionExpression: 'attribute_not_exists(pk)' });
    await translated('write the audit', this.#client.send(put));
  }
}

/** An id begins with its time: an entry and its end stand in the same month, also when the month ends between them. */
function monthOf(auditId: string): string {
  return new Date(Number.parseInt(auditId.replaceAll('-', '').slice(0, 12), 16)).toISOString().slice(0, 7);
}
