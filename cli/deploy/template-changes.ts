import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod';

/** What a deployment would change, resource by resource, read from two templates. */
export const templateSchema = z.looseObject({
  Resources: z.record(z.string(), z.looseObject({ Type: z.string(), DeletionPolicy: z.string().optional() })).default({}),
});
export type Template = z.infer<typeof templateSchema>;

export const NOTHING: Template = { Resources: {} };

export interface ResourceChange {
  readonly id: string;
  readonly type: string;
  readonly change: 'add' | 'change' | 'remove';
}

/** Types whose resources hold what nobody can make again. */
const HOLDS_DATA = new Set(['AWS::DynamoDB::GlobalTable', 'AWS::DynamoDB::Table', 'AWS::S3::Bucket', 'AWS::Cognito::UserPool']);

export function templateChanges(before: Template, after: Template): ResourceChange[] {
  const ids = [...new Set([...Object.keys(before.Resources), ...Object.keys(after.Resources)])].sort();
  return ids.flatMap((id): ResourceChange[] => {
    const [old, now] = [before.Resources[id], after.Resources[id]];
    if (now === undefined) return [{ id, type: old?.Type ?? '', change: 'remove' }];
    if (old === undefined) return [{ id, type: now.Type, change: 'add' }];
    return isDeepStrictEqual(old, now) ? [] : [{ id, type: now.Type, change: 'change' }];
  });
}

/** What would leave the stack with data in it. */
export function dataRemoved(changes: readonly ResourceChange[]): ResourceChange[] {
  return changes.filter(({ change, type }) => change === 'remove' && HOLDS_DATA.has(type));
}

/** What stays in the account when the stack goes. */
export function keptResources({ Resources }: Template): { id: string; type: string }[] {
  return Object.entries(Resources)
    .filter(([, { DeletionPolicy }]) => DeletionPolicy?.startsWith('Retain') === true)
    .map(([id, { Type: type }]) => ({ id, type }));
}
