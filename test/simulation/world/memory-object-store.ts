import type { ObjectStore, StoredObject } from '../../../core/ports/object-store.ts';
import type { PutAddress } from '../../../protocol/messages/push.ts';
import { SyncError } from '../../../protocol/sync-error.ts';
import type { Faults } from './faults.ts';

export class MemoryObjectStore implements ObjectStore {
  readonly objects = new Map<string, Uint8Array>();
  /** When each was last put. */
  readonly times = new Map<string, number>();
  readonly #faults: Faults;
  readonly #now: () => number;

  constructor(faults: Faults, now: () => number = () => 0) {
    this.#faults = faults;
    this.#now = now;
  }

  put(key: string, bytes: Uint8Array): Promise<void> {
    return this.#faults.strike('put', () => {
      this.objects.set(key, bytes);
      this.times.set(key, this.#now());
    });
  }

  get(key: string, bytesMax = Number.POSITIVE_INFINITY): Promise<Uint8Array> {
    return this.#faults.strike('get', () => {
      const bytes = this.objects.get(key);
      if (bytes === undefined) throw new SyncError('NOT_FOUND', `no object ${key}`);
      if (bytes.length > bytesMax) throw new SyncError('INTEGRITY', `${key} is too large`);
      return bytes;
    });
  }

  async *list(prefix: string): AsyncGenerator<StoredObject[]> {
    const keys = [...this.objects.keys()].filter((key) => key.startsWith(prefix)).sort();
    yield await this.#faults.strike('list', () => keys.map((key) => ({ key, at: this.times.get(key) ?? 0 })));
  }

  delete(keys: readonly string[]): Promise<void> {
    return this.#faults.strike('delete', () => {
      for (const key of keys) this.objects.delete(key);
    });
  }

  /** What a bucket does by itself to objects that were put before. */
  expire(prefix: string, before: number): void {
    for (const key of this.objects.keys()) if (key.startsWith(prefix) && (this.times.get(key) ?? 0) < before) this.objects.delete(key);
  }

  presignGet(key: string): Promise<string> {
    return Promise.resolve(`memory:${key}`);
  }

  presignPut(key: string): Promise<PutAddress> {
    return Promise.resolve({ url: `memory:${key}`, headers: {} });
  }
}
