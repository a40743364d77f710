import type { UndertakingStore } from '../../../core/ports/undertaking-store.ts';
import type { Undertaking } from '../../../protocol/undertaking.ts';

export class MemoryUndertakingStore implements UndertakingStore {
  readonly undertakings = new Map<string, Undertaking>();

  add(undertaking: Undertaking): Promise<void> {
    if (this.undertakings.has(undertaking.undertakingId)) return Promise.reject(new Error('it is there already'));
    this.undertakings.set(undertaking.undertakingId, undertaking);
    return Promise.resolve();
  }

  read(undertakingId: string): Promise<Undertaking | null> {
    return Promise.resolve(this.undertakings.get(undertakingId) ?? null);
  }

  list({ after, limit }: Parameters<UndertakingStore['list']>[0]): ReturnType<UndertakingStore['list']> {
    const ids = [...this.undertakings.keys()].toSorted().toReversed();
    const found = ids.filter((id) => after === null || id < after).flatMap((id) => this.undertakings.get(id) ?? []);
    const undertakings = found.slice(0, limit);
    return Promise.resolve({ undertakings, next: found.length > limit ? (undertakings.at(-1)?.undertakingId ?? null) : null });
  }

  change(before: Undertaking, after: Undertaking): Promise<'changed' | 'conflict'> {
    if (this.undertakings.get(after.undertakingId)?.state !== before.state) return Promise.resolve('conflict');
    this.undertakings.set(after.undertakingId, after);
    return Promise.resolve('changed');
  }
}
