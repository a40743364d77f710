import * as z from 'zod';
import { COMPONENT_NAMES, EDITIONS } from '../catalogue/types.ts';
import { UP_CHANGES } from './occurring.ts';
import { ALL_ATTRIBUTE_STATUSES, DOWN_STATUSES, NEXT_STEPS, UP_STATUSES } from './statuses.ts';

/**
 * Data Sync Details as data: what `storeline data-sync-details --format json` prints. Objects and arrays are in the
 * catalogue's order, so that the same catalogue is the same text.
 */
const COMPONENT_STATUSES = ['ENABLED', 'NOT_USED', 'NOT_ENABLED'] as const;

const attributeCaseSchema = z.strictObject({ status: z.enum(ALL_ATTRIBUTE_STATUSES), description: z.string() });

const attributeSchema = z.strictObject({
  name: z.string(),
  description: z.string(),
  /** In words. */
  type: z.string(),
  key: z.boolean(),
  required: z.boolean(),
  setBy: z.enum(['head office', 'store', 'both']),
  rule: z.string(),
  ruleDescription: z.string(),
  direction: z.enum(['down', 'both']),
  /** Whether a store may set it, and until when. */
  up: z.enum(UP_CHANGES),
  /** `if-shared`: sensitive, so it stays at head office unless the organization shares it. */
  down: z.enum(['always', 'if-shared']),
  statuses: z.array(attributeCaseSchema),
});

const collectionSchema = z.strictObject({
  name: z.string(),
  description: z.string(),
  key: z.array(z.string()),
  direction: z.enum(['down', 'up', 'both']),
  rule: z.string(),
  ruleName: z.string(),
  ruleDescription: z.string(),
  /** Which stores hold a record, by default and as an organization may choose. */
  heldBy: z.string(),
  heldByChoices: z.array(z.string()),
  /** Names of attributes that a store sets, by until when it may. */
  fieldsUp: z.strictObject({ made: z.array(z.string()), once: z.array(z.string()), changed: z.array(z.string()) }),
  /** Records come down whole; of them these are set by head office alone, and these come only if they are shared. */
  fieldsDown: z.strictObject({ all: z.array(z.string()), headOfficeOnly: z.array(z.string()), ifShared: z.array(z.string()) }),
  recordStatuses: z.strictObject({ up: z.array(z.enum(UP_STATUSES)), down: z.array(z.enum(DOWN_STATUSES)) }),
  attributes: z.array(attributeSchema),
});

const componentSchema = z.strictObject({
  name: z.enum(COMPONENT_NAMES),
  description: z.string(),
  direction: z.enum(['down', 'up', 'both', 'none']),
  /** By edition of the store. */
  status: z.record(z.enum(EDITIONS), z.enum(COMPONENT_STATUSES)),
  /** null: it is enabled in every store. */
  why: z.string().nullable(),
  collections: z.array(collectionSchema),
});

export const syncDetailsSchema = z.strictObject({
  format: z.literal(1),
  components: z.array(componentSchema),
  /** What the rules mean, of a record and of one attribute. */
  rules: z.array(z.strictObject({ rule: z.string(), name: z.string(), record: z.string(), attribute: z.string() })),
  /** What the statuses above mean. */
  statuses: z.strictObject({
    recordUp: z.array(z.strictObject({ status: z.enum(UP_STATUSES), next: z.enum(NEXT_STEPS), description: z.string() })),
    recordDown: z.array(z.strictObject({ status: z.enum(DOWN_STATUSES), description: z.string() })),
    attribute: z.array(attributeCaseSchema),
    /** Words that are reserved and that nothing has yet. */
    notGivenYet: z.array(z.string()),
  }),
});
export type SyncDetails = z.infer<typeof syncDetailsSchema>;
export type ComponentDetails = z.infer<typeof componentSchema>;
export type CollectionDetails = z.infer<typeof collectionSchema>;
export type AttributeDetails = z.infer<typeof attributeSchema>;
export type ComponentStatus = (typeof COMPONENT_STATUSES)[number];
