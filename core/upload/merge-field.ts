import { canReach, hasStates } from '../../protocol/catalogue/state-machines.ts';
import type { Collection, Field } from '../../protocol/catalogue/types.ts';
import type { AttributeOutcome, OperationValue } from '../../protocol/operation.ts';

/**
 * One field of a record that a store changed and head office may have changed too.
 *
 * `clock` is when the store's user changed it, after the correction of clocks that run ahead; `current.clock` when the
 * value that stands was set. Of two changes the later one stays; the other is kept in the audit, never just gone.
 */
export interface FieldState {
  readonly value: OperationValue;
  readonly clock: number;
}

export type FieldMerge =
  /** `isConfirmed`: said again later, so a change from between, which may arrive after it, is the older one. */
  | { readonly outcome: 'same'; readonly isConfirmed: boolean }
  | { readonly outcome: 'set'; readonly value: OperationValue }
  | { readonly outcome: 'kept'; readonly attribute: AttributeOutcome };

export interface FieldChange {
  readonly collection: Collection;
  readonly field: Field;
  readonly current: FieldState;
  readonly change: FieldState;
}

export function mergeField(input: FieldChange): FieldMerge {
  const { field, current, change } = input;
  if (current.value === change.value) return { outcome: 'same', isConfirmed: change.clock > current.clock && isByClock(input) };
  if (field.writer === 'cloud') return refused(field, 'only head office sets it');
  switch (field.rule) {
    case 'CW':
    case 'CD':
    case 'RC':
      return refused(field, 'only head office sets it');
    case 'AO':
    case 'FL1':
      return current.value === null ? { outcome: 'set', value: change.value } : refused(field, 'it is set once');
    case 'SM':
      return mergeState(input);
    case 'GS':
      return grow(input);
    case 'FL':
    case 'IC':
    case 'MP':
      return laterWins(input);
  }
}

/** Whether the later of two changes of the field stays. */
function isByClock({ collection, field }: FieldChange): boolean {
  if (field.writer === 'cloud') return false;
  if (field.rule === 'SM') return !hasStates(`${collection.name}.${field.name}`);
  return field.rule === 'FL' || field.rule === 'IC' || field.rule === 'MP';
}

function laterWins({ field, current, change }: FieldChange): FieldMerge {
  return change.clock > current.clock ? { outcome: 'set', value: change.value } : overridden(field, 'somebody changed it later');
}

function mergeState(input: FieldChange): FieldMerge {
  const { collection, field, current, change } = input;
  const name = `${collection.name}.${field.name}`;
  if (!hasStates(name)) return laterWins(input);
  if (current.value === null) return { outcome: 'set', value: change.value };
  const [from, to] = [String(current.value), String(change.value)];
  if (canReach(name, from, to)) return { outcome: 'set', value: change.value };
  if (canReach(name, to, from)) return overridden(field, `it is ${from} already`);
  return refused(field, `${from} does not become ${to}`);
}

/** Members may be added and never taken away. */
function grow({ field, current, change }: FieldChange): FieldMerge {
  if (change.value === null) return refused(field, 'members may be added, not taken away');
  const union = unionOf(current.value, change.value);
  return union === current.value ? { outcome: 'same', isConfirmed: false } : { outcome: 'set', value: union };
}

function unionOf(...sets: readonly OperationValue[]): string {
  const members = sets.flatMap((value) => (typeof value === 'string' ? (JSON.parse(value) as unknown[]) : []));
  return JSON.stringify([...new Map(members.map((member) => [JSON.stringify(member), member])).values()]);
}

function refused({ name }: Field, reason: string): FieldMerge {
  return { outcome: 'kept', attribute: { field: name, status: 'NOT_ALLOWED', reason } };
}

function overridden({ name }: Field, reason: string): FieldMerge {
  return { outcome: 'kept', attribute: { field: name, status: 'CLOUD_OVERRIDDEN', reason } };
}
