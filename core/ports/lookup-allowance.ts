/** How many customers a replica may still look up in an hour: a till needs some, somebody who copies all of them needs many. */
export interface LookupAllowance {
  /** false: none is left. `hour`: for example `2026-11-23T08`. */
  take(replicaId: string, hour: string, most: number): Promise<boolean>;
}
