import { type Fields, equalFields } from '../../protocol/catalogue/record.ts';
import { pointsText, thousandths } from './exact.ts';

/**
 * The tier that points ever earned give, where a program's tiers say from how many points. An entry raises a customer
 * and never lowers: that is for whoever ends a tier. null: nothing changes.
 */
export function tierAfter(definitions: readonly Fields[], standing: Fields | null, summary: Fields): Fields | null {
  const tiers = definitions
    .filter((tier) => tier['from_points'] !== undefined)
    .toSorted((a, b) => Number(a['slab_number']) - Number(b['slab_number']));
  const earned = thousandths(String(summary['lifetime_points'] ?? '0'));
  const reached = tiers.findLast((tier) => thousandths(String(tier['from_points'])) <= earned);
  const number = Math.max(Number(reached?.['slab_number'] ?? 0), Number(standing?.['slab_number'] ?? 0));
  if (tiers.length === 0 || number === 0) return null;
  const current = definitions.find((tier) => tier['slab_number'] === number);
  const next = tiers.find((tier) => Number(tier['slab_number']) > number);
  const after: Fields = {
    ...withoutNext(standing ?? { user_id: summary['user_id'] as string, program_id: summary['program_id'] as string }),
    ...(current === undefined ? {} : { current_slab: current['name'] ?? String(number) }),
    slab_number: number,
    ...(next === undefined ? {} : nextTier(next, earned)),
  };
  return standing !== null && equalFields(standing, after) ? null : after;
}

function withoutNext(standing: Fields): Fields {
  const { next_slab: _name, next_slab_number: _number, next_slab_description: _text, gap_to_upgrade: _gap, ...rest } = standing;
  return rest;
}

function nextTier(next: Fields, earned: bigint): Fields {
  const gap = thousandths(String(next['from_points'])) - earned;
  return {
    next_slab: next['name'] ?? String(next['slab_number']),
    next_slab_number: next['slab_number'] as number,
    ...(next['description'] === undefined ? {} : { next_slab_description: next['description'] }),
    gap_to_upgrade: JSON.stringify({ points: pointsText(gap > 0n ? gap : 0n) }),
  };
}
