import { collectionOf } from '../../protocol/catalogue/catalogue.ts';
import type { ScopeSettings } from '../../protocol/catalogue/scopes.ts';
import { limits } from '../../protocol/limits.ts';
import { utf8Bytes } from '../../protocol/utf8.ts';
import type { MainRecord, RecordWrite } from '../ports/record-store.ts';
import type { RecordChange, Seen } from '../upload/verdict.ts';
import { ownerAfter, scopesUntilPlaced } from '../working-set/owner.ts';
import { leftScopes } from './left-scopes.ts';
import { recordScopes } from './record-scopes.ts';

/** Main data as changes that are not written yet leave it, and the writes that make it so. */
export class RecordOverlay implements Seen {
  readonly #base: Seen;
  readonly #now: number;
  readonly #written = new Map<string, MainRecord>();

  constructor(base: Seen, now: number) {
    this.#base = base;
    this.#now = now;
  }

  get(collection: string, key: string): MainRecord | null {
    return this.#written.get(`${collection}/${key}`) ?? this.#base.get(collection, key);
  }

  isWritten({ collection, key }: MainRecord): boolean {
    return this.#written.has(`${collection}/${key}`);
  }

  write(record: MainRecord): void {
    this.#written.set(`${record.collection}/${record.key}`, record);
  }

  /** The record a change makes, or why it makes none. */
  made({ collection, key, fields, clocks }: RecordChange, settings: ScopeSettings): MainRecord | string {
    const standing = this.get(collection, key);
    const previousRev = this.#base.get(collection, key)?.rev ?? 0;
    const scoped = fields === null ? null : recordScopes(collectionOf(collection), fields, settings);
    if (scoped?.ok === false) return `${scoped.issue.field} ${scoped.issue.reason}`;
    if (fields !== null && jsonBytes(fields) > limits.recordBytesMax) return `the record has more than ${limits.recordBytesMax} bytes`;
    const owned = ownerAfter(fields, { collection, key, standing: standing?.owner }, settings);
    const scopes = (fields === null ? standing?.scopes : scoped?.scopes) ?? scopesUntilPlaced(standing, owned.owner);
    return {
      collection,
      key,
      rev: Math.max(previousRev + 1, this.#now),
      scopes,
      ...owned,
      ...leftScopes(standing, scopes, this.#now),
      deleted: fields === null,
      updatedAt: new Date(this.#now).toISOString(),
      fields: fields ?? {},
      ...(clocks === undefined ? {} : { clocks }),
    };
  }

  writes(): RecordWrite[] {
    return [...this.#written.values()].map((record) => ({
      record,
      previousRev: this.#base.get(record.collection, record.key)?.rev ?? null,
    }));
  }
}

function jsonBytes(value: unknown): number {
  return utf8Bytes(JSON.stringify(value));
}
