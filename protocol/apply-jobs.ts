/** What the schedule has `apply` do once an hour, by the input of its rule: `{"job": …}`. */
export const APPLY_JOBS = ['ring', 'sweep', 'release'] as const;
export type ApplyJob = (typeof APPLY_JOBS)[number];
