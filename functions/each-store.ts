import type { StoreListing, StoreRegistry } from '../core/ports/store-registry.ts';

/** Stores of one read. */
const PAGE = 100;

/** Every store with its replicas and certificates, by id. */
export async function* eachStore(registry: Pick<StoreRegistry, 'listStores'>): AsyncGenerator<StoreListing> {
  let after: string | null = null;
  do {
    const page: Awaited<ReturnType<StoreRegistry['listStores']>> = await registry.listStores({ after, limit: PAGE });
    yield* page.stores;
    after = page.next;
  } while (after !== null);
}
