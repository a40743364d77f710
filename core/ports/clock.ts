/** Time, ids and randomness come in as values or through these, never from the environment. */
export interface Clock {
  /** Milliseconds since the epoch, by the server's clock in the cloud. */
  now(): number;
}

export interface Ids {
  /** A new UUIDv7. */
  next(): string;
}
