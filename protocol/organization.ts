import * as z from 'zod';
import { scopeSettingIssues } from './catalogue/scopes.ts';
import { COMPONENT_NAMES, SCOPE_CHOICES } from './catalogue/types.ts';
import { canarySchema } from './rollout.ts';
import { storeSettingsSchema } from './store-settings.ts';

const tableName = z.string().regex(/^[\w.-]{3,255}$/, 'the name of a table of the same account and region');
const RESERVED_MAX = 900;

/** One organization's settings: `orgs/<name>.json`. One stack is made from each. */
export const organizationSchema = z.strictObject({
  /** Also the stack's and every resource's name part. */
  name: z.string().regex(/^[a-z][a-z0-9-]{1,24}$/, 'lower-case letters, digits and dashes, 2 to 25 characters'),
  displayName: z.string().min(1).max(80),
  region: z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/, 'an AWS region such as eu-west-1'),
  /** The AWS account it is deployed to. Where it is set, credentials of another account are refused. */
  account: z
    .string()
    .regex(/^\d{12}$/, 'the 12 digits of an AWS account')
    .optional(),
  /** Time zone and currency of stores that name none of their own. */
  timeZone: z.string().min(1).refine(isTimeZone, 'an IANA time zone such as Europe/London'),
  currency: z.string().regex(/^[A-Z]{3}$/, 'an ISO 4217 code such as GBP'),
  /** Sensitive fields that stores may hold, as `collection.field`. Everything sensitive is withheld otherwise. */
  shareSensitiveFields: z.array(z.string().regex(/^[a-z_]+\.[a-z_]+$/)).default([]),
  /** Which stores hold what, by component, where it is not the catalogue's. Chosen before there is data (docs/decisions/0010). */
  scopes: z
    .partialRecord(z.enum(COMPONENT_NAMES), z.enum(SCOPE_CHOICES))
    .default({})
    .superRefine((scopes, context) => {
      for (const { component, reason } of scopeSettingIssues(scopes))
        context.addIssue({ code: 'custom', path: [component], message: reason });
    }),
  ...storeSettingsSchema.shape,
  /** Changed store settings go to these stores first. Without it they reach every store at once (docs/decisions/0037). */
  canary: canarySchema.optional(),
  /**
   * A store that was not heard of for this long is an error at the centre: longer than it is ever closed, and than twice the
   * 6 h after which a contact is written down again.
   */
  expectedEveryHours: z
    .int()
    .min(12)
    .max(24 * 30)
    .default(72),
  /** Snapshots are brought up to date this often when something changed. */
  compactionMinutes: z.int().min(5).max(1440).default(60),
  /** The identity provider of its people, if it has one: OpenID Connect, with the groups `storeline-viewer`, `-operator` and `-admin` in the claim `groups`. */
  identity: z
    .strictObject({
      issuer: z.url().refine((url) => url.startsWith('https://') && !url.endsWith('/'), 'https, without a slash at its end'),
      audience: z.string().min(1).max(200),
      /** Of the public client by which people sign in with the command line; without it they bring tokens of their own. */
      clientId: z.string().min(1).max(200).optional(),
      /** What is asked for so that tokens are for `audience` and can be renewed; most providers want `offline_access` and a scope of the audience. */
      scopes: z
        .array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/))
        .min(1)
        .default(['openid', 'email', 'offline_access']),
    })
    .optional(),
  /** Who is told of alarms. Without it they are on the stack's topic only, for whoever subscribes. */
  alarmEmail: z.email().optional(),
  /** Whoever is told of alarms is told as well when the stack is about to cost more than this in a month. */
  monthlyBudgetUsd: z.number().positive().optional(),
  /**
   * What reaches this many stores or more (an erasure, a rebuild) is asked for by one admin and approved by another, each with a
   * token of the identity provider. Without it one is enough.
   */
  approval: z.strictObject({ storesMin: z.int().min(1) }).optional(),
  /** Everything that is stored is encrypted under a key of the stack's own, which is rotated every year (docs/decisions/0036). */
  ownKey: z.boolean().default(false),
  /** Logs are kept this long. The audit is no log and is kept for ever. */
  logDays: z.literal([30, 60, 90, 180, 365, 731]).default(90),
  /**
   * At most as many of a function run at once, and as many are kept free for it, by the function's name (`apply`). An account has a
   * thousand for all its functions, of which a hundred stay for whoever reserved none, and a new one perhaps ten, so nothing is reserved by
   * itself. A queue calls no fewer than two at once.
   */
  reservedConcurrency: z
    .record(z.string(), z.int().min(2))
    .refine(
      (reserved) => Object.values(reserved).reduce((sum, count) => sum + count, 0) <= RESERVED_MAX,
      `more than ${RESERVED_MAX} together`,
    )
    .default({}),
  /**
   * Tables that stand in for the stack's own after a restore (docs/operations/restore.md), by name; of `records` also its stream, by the label
   * that ends its ARN. It stays here as long as the stack: without it the stack would make itself empty ones.
   */
  restored: z
    .strictObject({
      records: tableName,
      recordsStream: z.iso.datetime({ local: true }),
      feeds: tableName,
      stores: tableName,
      uploads: tableName,
    })
    .optional(),
  /** Data outlives the stack unless this says otherwise. */
  retainData: z.boolean().default(true),
});
export type Organization = z.infer<typeof organizationSchema>;

function isTimeZone(zone: string): boolean {
  try {
    return Intl.DateTimeFormat('en', { timeZone: zone }) !== undefined;
  } catch {
    return false;
  }
}
