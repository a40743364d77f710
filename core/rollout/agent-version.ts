/** Whether whoever distributes software should give this store another agent; null where nobody says which one stores should run. */
export interface AgentStanding {
  readonly wanted: string | null;
  readonly isOther: boolean;
}

export function agentStanding(version: string | undefined, wanted: string | undefined): AgentStanding {
  return { wanted: wanted ?? null, isOther: wanted !== undefined && version !== undefined && version !== wanted };
}
