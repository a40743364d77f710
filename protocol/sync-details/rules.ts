import type { ConflictRule } from '../catalogue/types.ts';

/** The rules by which two writers are reconciled, in words: of a record, and of one attribute. */
interface RuleText {
  readonly name: string;
  /** Of a collection with this rule. */
  readonly record: string;
  /** Of an attribute with this rule. */
  readonly attribute: string;
}

export const ruleTexts: Readonly<Record<ConflictRule, RuleText>> = {
  CW: {
    name: 'cloud wins',
    record: 'Head office alone writes it; what a store would send is refused.',
    attribute: "Head office's value stands; no store changes it.",
  },
  AO: {
    name: 'append-only',
    record: 'A fact: the same key with the same content is a duplicate, with other content a conflict, and what stands stays.',
    attribute: 'Set once, and never changed.',
  },
  FL: {
    name: 'field-level last writer',
    record:
      'Field by field: what one side changed is taken; of two changes of one field the later stays and the other is kept in the audit.',
    attribute: 'Of two changes the later stays; the other is kept in the audit.',
  },
  FL1: {
    name: 'write-once field',
    record: 'Field by field, and a field that has a value is changed by head office only.',
    attribute: 'Once it has a value, only head office changes it.',
  },
  SM: {
    name: 'state machine',
    record: 'Field by field; states follow each other in one order, and what head office is past is not taken back.',
    attribute: 'Its states follow each other in one order; where it has none, the later change stays.',
  },
  RC: {
    name: 'reserve and confirm',
    record: 'Head office decides: what it commits first is spent, and a second spending is a conflict for a person.',
    attribute: 'Set by the store that asks, and decided on by head office.',
  },
  CD: {
    name: 'cloud-derived',
    record: 'Head office computes it; a store shows it and never sends it.',
    attribute: 'Head office computes it.',
  },
  IC: {
    name: 'identifier claim',
    record: 'An identifier belongs to one customer: who claims it first has it, and another claim is a conflict for a person.',
    attribute: 'Of two changes the later stays; the other is kept in the audit.',
  },
  MP: {
    name: 'most protective',
    record: 'The later change stays, of two near ones the stricter; an opt-in without evidence never undoes an opt-out.',
    attribute: 'Of two changes the later stays; of two near ones the stricter consent.',
  },
  GS: {
    name: 'grow-only set',
    record: 'A fact to which members may be added.',
    attribute: 'Members may be added, never taken away.',
  },
};
