/**
 * Version of everything that crosses a boundary: requests, pages, chunks, manifests.
 *
 * 1  2026-11  first version: enrol, plan, report; pages and chunks as packed sections
 */
export const PROTOCOL_VERSION = 1;
/** Head office serves agents down to this version. */
export const PROTOCOL_VERSION_MIN = 1;
