import type { Erasure, ErasureStore } from '../../../core/ports/erasure-store.ts';

export class MemoryErasureStore implements ErasureStore {
  readonly erasures = new Map<string, Erasure>();

  begin(erasure: Erasure): Promise<Erasure> {
    const existing = this.erasures.get(erasure.digest) ?? erasure;
    this.erasures.set(erasure.digest, existing);
    return Promise.resolve(existing);
  }

  read(digest: string): Promise<Erasure | null> {
    return Promise.resolve(this.erasures.get(digest) ?? null);
  }

  list(): Promise<Erasure[]> {
    return Promise.resolve([...this.erasures.values()]);
  }

  replace(before: Erasure, after: Erasure): Promise<'replaced' | 'conflict'> {
    if (this.erasures.get(after.digest)?.version !== before.version) return Promise.resolve('conflict');
    this.erasures.set(after.digest, { ...after, version: before.version + 1 });
    return Promise.resolve('replaced');
  }
}
