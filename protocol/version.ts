/**
 * Version of everything that crosses a boundary: requests, pages, chunks, manifests.
 *
 * 1  2026-11  first version: enrol, plan, report, push, fork, lookup, redeem, contact; pages and chunks as packed sections
 * 2  2026-11  `plan` says how far head office has what the replica sent (`withUploads`), so that a restored head office is noticed;
 *            receipts may say `AWAITING_APPROVAL`; `push` says which revisions were heard (`revisedAfter`)
 *
 * What was said in each older version that is served stands in `test/fixtures/exchanges/`, and is held against head office.
 */
export const PROTOCOL_VERSION = 2;
/** Head office serves agents down to this version: two back, so that stores need not be updated in the night it is. */
export const PROTOCOL_VERSION_MIN = 1;

/**
 * The version that both sides speak, as an agent concludes from a refusal; null: there is none. Head office is updated
 * first, so an agent meets an older one only after that was taken back.
 */
export function commonVersion(served: { readonly min?: unknown; readonly max?: unknown } | undefined): number | null {
  const { min, max } = served ?? {};
  if (typeof min !== 'number' || typeof max !== 'number') return null;
  return max >= PROTOCOL_VERSION_MIN && min <= PROTOCOL_VERSION ? Math.min(max, PROTOCOL_VERSION) : null;
}

/** A request of today as it was in an older version: without what that did not know yet. */
export function inVersion<T extends { readonly protocol: number }>(version: number, request: T): T {
  if (version >= 2) return { ...request, protocol: version };
  const { withUploads: _, revisedAfter: __, ...known } = request as T & { readonly withUploads?: boolean; readonly revisedAfter?: number };
  return { ...(known as unknown as T), protocol: version };
}
