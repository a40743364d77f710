import type { Undertaking } from '../protocol/undertaking.ts';
import type { HeadOffice } from './head-office.ts';
import { print } from './output.ts';

/** What many stores hold is changed between a beginning and an end, both in the audit; where two people are needed, in two commands. */
interface Work<T> {
  /** What was approved before. */
  readonly approval: string | undefined;
  readonly begin: () => Promise<{ readonly undertaking: Undertaking }>;
  readonly carryOut: (undertakingId: string) => Promise<T>;
}

/** `waiting`: for somebody's word. */
export type Outcome<T> = { readonly waiting: Undertaking } | { readonly result: T };

/** What is interrupted stays open until it is gone on with, or its day is over. */
export async function undertake<T>(office: HeadOffice, work: Work<T>): Promise<Outcome<T>> {
  await office.requireCredentials();
  const { undertaking } =
    work.approval === undefined
      ? await work.begin()
      : await office.call<'undertaking.carry-out'>({ op: 'undertaking.carry-out', undertakingId: work.approval });
  if (undertaking.state === 'WAITING') return { waiting: undertaking };
  const { undertakingId } = undertaking;
  const result = await work.carryOut(undertakingId);
  await office.call<'undertaking.end'>({ op: 'undertaking.end', undertakingId });
  return { result };
}

export function printWaiting(options: { readonly json?: boolean }, undertaking: Undertaking): void {
  const { undertakingId, stores } = undertaking;
  process.exitCode = 3;
  print({ json: options.json === true }, { undertaking }, () =>
    [
      `It reaches ${stores} stores, so another admin has to say yes within 24 hours:`,
      `  storeline approvals approve ${undertakingId}`,
      `Then run this command again with --approval ${undertakingId}. Nothing has been changed yet.`,
    ].join('\n'),
  );
}
