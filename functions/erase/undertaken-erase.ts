import type * as z from 'zod';
import { sha256Hex } from '../../codec/pack.ts';
import type { EraseRequest, eraseCallSchema } from '../../protocol/messages/erase.ts';
import { type StepDeps, takenStep } from '../undertakings/taken-step.ts';
import { type EraseDeps, eraseStep } from './erase.ts';

/** Which steps are part of an erasure that somebody began. One without its line does not compile. */
const STEPS: Readonly<Record<EraseRequest['op'], 'undertaken' | 'free'>> = {
  begin: 'undertaken',
  records: 'undertaken',
  quarantine: 'undertaken',
  forget: 'undertaken',
  finish: 'undertaken',
  // It changes nothing.
  status: 'free',
  // The schedule does the same once a day: what is due is due.
  sweep: 'free',
};

/** Who asked and why are the undertaking's, whatever the step says. */
export async function undertakenErase(
  deps: EraseDeps & StepDeps,
  { undertakingId, step }: z.output<typeof eraseCallSchema>,
): Promise<object> {
  if (step.op === 'sweep' || STEPS[step.op] === 'free') return eraseStep(deps, step);
  const { askedBy, reason } = await takenStep(deps, undertakingId, { kind: 'erase', subject: sha256Hex(step.userId) });
  return eraseStep(deps, step.op === 'begin' ? { ...step, by: askedBy.name, reason } : step);
}
