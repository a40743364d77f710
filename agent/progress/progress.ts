import type { ComponentName } from '../../protocol/catalogue/types.ts';
import type { RunPhase } from '../../protocol/runs.ts';

/** What a sync tells of its work. Implementations print; a sync never waits for them. */
export interface Progress {
  /** A component has this much to do. Told again when it turns out to be more. */
  planned(component: ComponentName, work: { readonly rows: number; readonly bytes: number }): void;
  /** So much of it is done. */
  advanced(component: ComponentName, work: { readonly rows: number; readonly bytes: number }): void;
  /** What is done for it now, beside fetching, which the two above say. */
  entered(component: ComponentName, phase: Exclude<RunPhase, 'UPLOAD' | 'DOWNLOAD'>): void;
  /** A step of the whole run, in words for a person. */
  note(text: string): void;
  end(): void;
}

export const silentProgress: Progress = { planned: () => {}, advanced: () => {}, entered: () => {}, note: () => {}, end: () => {} };
