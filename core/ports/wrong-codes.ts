/** Wrong enrolment codes by where they came from and in which hour (for example `2026-11-23T08`). */
export interface WrongCodes {
  count(group: string, hour: string): Promise<number>;
  note(group: string, hour: string): Promise<void>;
}
