/** How many customers a store may still look up in an hour: a till needs some, somebody who copies all of them needs many. */
export interface LookupAllowance {
  /** false: none is left. `hour`: for example `2026-11-23T08`. */
  take(storeId: string, hour: string, most: number): Promise<boolean>;
}
