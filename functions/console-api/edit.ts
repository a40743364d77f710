import type { Clock } from '../../core/ports/clock.ts';
import type { RecordStore } from '../../core/ports/record-store.ts';
import type { Fields } from '../../protocol/catalogue/record.ts';
import type { ScopeSettings } from '../../protocol/catalogue/scopes.ts';
import type { Scope } from '../../protocol/feed.ts';

/** What it is written with. */
export interface WriteDeps {
  readonly records: RecordStore;
  readonly clock: Clock;
  readonly scopes: ScopeSettings;
  /** Told of each record that was written: its revision before, null where there was none, and after. */
  readonly onWrite?: (from: number | null, to: number) => void;
}

/** An edit of head office. */
export interface Edit {
  readonly index: number;
  readonly key: string;
  /** null: delete. */
  readonly fields: Fields | null;
  readonly scopes: readonly Scope[] | null;
  readonly owner: string | undefined;
}
