import { type GuardedRequest, denialOf } from './denial.ts';
import type { Statement } from './statement.ts';

/** Of a function's call: why it is refused; null: it is not. */
export type Denial = (name: string, request: GuardedRequest) => string | null;

interface Guarded {
  /** As it stands in the function's own addresses. */
  readonly shortName: string;
  readonly permissions: readonly Statement[] | null;
}

/**
 * A function without a role in the template may do anything; who is none may do nothing. Every refusal is said: a function may go on
 * without what it was refused.
 */
export function guardOf(functions: readonly Guarded[], log: (message: string) => void): Denial {
  const permissionsOf = new Map(functions.map(({ shortName, permissions }) => [shortName, permissions]));
  return (name, request) => {
    const statements = permissionsOf.get(name);
    if (statements === null) return null;
    const denial = statements === undefined ? 'not authorized: no function has this name' : denialOf(statements, request);
    if (denial === null) return null;
    log(`refused: ${name} is ${denial}`);
    return `${name} is ${denial}`;
  };
}
