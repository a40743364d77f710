/** What a run moved. One per process, shared by everything that goes over the wire. */
export interface TransferCount {
  requests: number;
  /** Bytes of answers and objects as they came over the wire, as far as they are known. */
  bytes: number;
  chunksFetched: number;
  /** Chunks of a snapshot that did not have to be fetched: right already, or in the spool. */
  chunksSkipped: number;
}

export function createTransferCount(): TransferCount {
  return { requests: 0, bytes: 0, chunksFetched: 0, chunksSkipped: 0 };
}
