/** A part of a list that may be long: at most `limit` entries after the one named `after`, or from the start on null. */
export interface ListRequest {
  readonly after: string | null;
  readonly limit: number;
}
