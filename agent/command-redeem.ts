import { isRedemption, type RedeemResponse } from '../protocol/messages/redeem.ts';
import { SyncError, isSyncError } from '../protocol/sync-error.ts';
import { type AgentIo, createCloudApi, printJson } from './agent-io.ts';
import { type ExitCode, exitCodes } from './exit-code.ts';
import { readJson } from './read-json.ts';

/** Points or a coupon spent now, by head office's word. Ends with 3 when it is declined. */
export interface RedeemOptions {
  readonly data: string;
  readonly json?: boolean;
}

export async function redeemCommand(io: AgentIo, collection: string, { record, data, json }: RedeemOptions & { readonly record: string }) {
  const answer = await askToRedeem(io, data, { collection, record: readJson(record) });
  if (json === true) printJson(io, answer);
  else io.stdout.write(`${describe(answer)}\n`);
  return (answer.outcome === 'APPROVED' ? exitCodes.fine : exitCodes.notComplete) satisfies ExitCode;
}

/** One try of a few seconds: a customer waits. */
export async function askToRedeem(
  io: AgentIo,
  data: string,
  { collection, record }: { readonly collection: string; readonly record: unknown },
): Promise<RedeemResponse> {
  if (!isRedemption(collection)) throw new SyncError('INVALID_INPUT', 'what is redeemed is a points_redemption or a coupon_redemption');
  if (typeof record !== 'object' || record === null || Array.isArray(record))
    throw new SyncError('INVALID_INPUT', 'the record must be an object');
  const fields: Record<string, string | number | boolean> = {};
  for (const [name, value] of Object.entries(record as Readonly<Record<string, unknown>>)) {
    if (value === null) continue;
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean')
      throw new SyncError('INVALID_INPUT', `${name} must be text, a number, true or false`);
    fields[name] = value;
  }
  try {
    return await (await createCloudApi(io, data, { patient: false })).redeem({ collection, fields });
  } catch (error) {
    if (!isSyncError(error, 'CONNECTIVITY')) throw error;
    const advice = 'ask again with the same record, or record it with `records put` if the organization allows that; it is spent once';
    throw new SyncError('CONNECTIVITY', `${error.message}; whether it was redeemed is not known: ${advice}`, { cause: error });
  }
}

function describe({ outcome, reason, isRepeat, balanceAfter }: RedeemResponse): string {
  if (outcome === 'DECLINED') return `Declined: ${reason ?? ''}`;
  return `Approved${isRepeat ? ' (it was before)' : ''}.${balanceAfter === null ? '' : ` ${balanceAfter} points are left.`}`;
}
