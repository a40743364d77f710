import type { Clock, Ids } from '../../core/ports/clock.ts';
import type { PlanResponse } from '../../protocol/messages/plan.ts';
import type { Progress } from '../progress/progress.ts';
import type { CloudApi } from '../transport/cloud-api.ts';
import type { Download } from '../transport/download.ts';
import type { TransferCount } from '../transport/transfer-count.ts';

/** All a sync touches of the outside world. Made once, in `main.ts`, or by a test or benchmark. */
export interface SyncDeps {
  readonly cloud: CloudApi;
  readonly download: Download;
  readonly dataDir: string;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly progress: Progress;
  /** There is an outbox: head office is asked how far it has it. */
  readonly withUploads?: boolean;
  /** Head office has said what this store has. */
  readonly onPlan?: (plan: PlanResponse) => void;
  readonly signal: AbortSignal;
  readonly count: TransferCount;
  /** Free bytes of the disk under a folder. */
  readonly freeBytes: (folder: string) => Promise<number>;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}
