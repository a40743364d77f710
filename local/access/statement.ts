/**
 * One statement of a role's policy, and whether it allows a need. Only what the templates use is understood: a statement that
 * denies, a condition or a wildcard of another kind refuses to start, as it would be judged wrongly here.
 */
import * as z from 'zod';

const list = z.union([z.string(), z.array(z.string())]).transform((value) => [value].flat());
const pattern = z.string().refine((text) => !/[?]|\$\{/.test(text), 'of the wildcards the local stack knows the star only');
const patterns = z.union([pattern, z.array(pattern)]).transform((value) => [value].flat());
const LEADING_KEYS = 'dynamodb:LeadingKeys';
const ON_KEYS = 'ForAllValues:StringLike';

const onKeys = z.strictObject({ [ON_KEYS]: z.strictObject({ [LEADING_KEYS]: patterns }) });
/** Of statements about a key, which nothing asks for here. */
const viaService = z.strictObject({ StringEquals: z.strictObject({ 'kms:ViaService': list }) });

export const statementSchema = z
  .strictObject({
    Sid: z.string().optional(),
    Effect: z.literal('Allow', 'only what is allowed is known to the local stack'),
    Action: patterns,
    Resource: patterns,
    Condition: z.union([onKeys, viaService], 'only conditions on leading keys and kms:ViaService are known to the local stack').optional(),
  })
  .refine(
    ({ Action, Condition }) => isAbout(Condition === undefined ? '' : ON_KEYS in Condition ? 'dynamodb:' : 'kms:', Action),
    'a condition stands at actions of another service, which the local stack does not know',
  );
export type Statement = z.infer<typeof statementSchema>;

/** One permission that a request needs. */
export interface Need {
  /** With its service: `s3:GetObject`. */
  readonly action: string;
  /** What stands in the ARN after service, region and account: `table/<name>`, `<bucket>/<key>`. */
  readonly resource: string;
  /** Leading keys of the items asked for. */
  readonly keys?: readonly string[];
}

/** The needs of a request; null: it is not known here what it needs, and so it is refused. */
export type Needs = readonly Need[] | null;

/** What stands in an ARN after service, region and account. */
export function resourceOf(arn: string): string {
  return arn.split(':').slice(5).join(':');
}

/** Letters of actions are of either size. */
export function isAllowed({ Action, Resource, Condition }: Statement, { action, resource, keys = [] }: Need): boolean {
  const leading = Condition !== undefined && ON_KEYS in Condition ? Condition[ON_KEYS][LEADING_KEYS] : null;
  return (
    Action.some((one) => isLike(action.toLowerCase(), { pattern: one.toLowerCase() })) &&
    Resource.some((arn) => isOn(arn, { action, resource })) &&
    (leading === null || keys.every((key) => leading.some((one) => isLike(key, { pattern: one }))))
  );
}

/** Region and account are not compared: everything here is of one. */
function isOn(arn: string, { action, resource }: Need): boolean {
  if (arn === '*') return true;
  return arn.split(':')[2] === action.split(':')[0] && isLike(resource, { pattern: resourceOf(arn) });
}

function isLike(text: string, { pattern: like }: { readonly pattern: string }): boolean {
  const [first = '', ...others] = like.split('*');
  const last = others.pop();
  if (last === undefined) return text === like;
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const part of others) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return text.length - at >= last.length && text.endsWith(last);
}

function isAbout(service: string, actions: readonly string[]): boolean {
  return actions.every((action) => action.startsWith(service));
}
