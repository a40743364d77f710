import { type DynamoDBDocumentClient, PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import type { AuditLog } from '../../core/ports/audit-log.ts';
import { type AuditEntry, auditEntrySchema } from '../../protocol/messages/console.ts';
import { translated } from './aws-errors.ts';

/**
 * The audit in a table of its own: `pk` = the month, `sk` = the entry's id, which begins with its time, and `<id>#end` for what
 * came of it. No role of ours may change or delete there (`infra/constructs/access.ts`).
 */
const begunSchema = auditEntrySchema.omit({ outcome: true });

export class DynamoAuditLog implements AuditLog {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async begin(entry: Omit<AuditEntry, 'outcome'>): Promise<void> {
    await this.#add({ pk: monthOf(entry.auditId), sk: entry.auditId, ...entry });
  }

  async end(auditId: string, outcome: string): Promise<void> {
    await this.#add({ pk: monthOf(auditId), sk: `${auditId}#end`, outcome });
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
    const outcomes = new Map(
      items.flatMap((item) => (String(item['sk']).endsWith('#end') ? [[String(item['sk']).slice(0, -4), String(item['outcome'])]] : [])),
    );
    const begun = items.filter((item) => !String(item['sk']).endsWith('#end')).map((item) => begunSchema.parse(item));
    const entries = begun.slice(0, limit).map((entry) => ({ ...entry, outcome: outcomes.get(entry.auditId) ?? null }));
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
