/** Bugs, not operating errors: an assertion that fails ends the invocation and is never caught. */

class AssertionError extends Error {
  override name = 'AssertionError';
}

/** Throws when `condition` is false; start the message with the invariant it guards, for example `INV-07: …`. */
export function assert(condition: boolean, message: string | (() => string)): asserts condition {
  if (!condition) throw new AssertionError(typeof message === 'string' ? message : message());
}

export function must<T>(value: T | null | undefined, message: string): T {
  if (value === null || value === undefined) throw new AssertionError(message);
  return value;
}

export function unreachable(value: never): never {
  throw new AssertionError(`not reachable: ${JSON.stringify(value)}`);
}
