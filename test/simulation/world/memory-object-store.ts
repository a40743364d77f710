import type { ObjectStore } from '../../../core/ports/object-store.ts';
import { SyncError } from '../../../protocol/sync-error.ts';
import type { Faults } from './faults.ts';

export class MemoryObjectStore implements ObjectStore {
  readonly objects = new Map<string, Uint8Array>();
  readonly #faults: Faults;

  constructor(faults: Faults) {
    this.#faults = faults;
  }

  put(key: string, bytes: Uint8Array): Promise<void> {
    return this.#faults.strike('put', () => {
      this.objects.set(key, bytes);
    });
  }

  get(key: string): Promise<Uint8Array> {
    return this.#faults.strike('get', () => {
      const bytes = this.objects.get(key);
      if (bytes === undefined) throw new SyncError('NOT_FOUND', `no object ${key}`);
      return bytes;
    });
  }

  presignGet(key: string): Promise<string> {
    return Promise.resolve(`memory:${key}`);
  }
}
