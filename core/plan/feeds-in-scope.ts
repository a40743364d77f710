import { componentStatus, components, scopeKinds } from '../../protocol/catalogue/catalogue.ts';
import type { Component } from '../../protocol/catalogue/types.ts';
import { type FeedName, type Scope, feedName } from '../../protocol/feed.ts';
import type { Store } from '../ports/store-registry.ts';

/** The feeds a store may read, and nothing else (INV-24): from the store's own row, never from a request. */
export function feedsInScope(component: Component, store: Pick<Store, 'storeId' | 'zone' | 'edition'>): FeedName[] {
  if (componentStatus(component, store.edition) !== 'ENABLED') return [];
  return scopeKinds(component).flatMap((kind) => {
    const scope = scopeOf(kind, store);
    return scope === null ? [] : [feedName(component.name, scope)];
  });
}

export function allFeedsInScope(store: Pick<Store, 'storeId' | 'zone' | 'edition'>): FeedName[] {
  return components.flatMap((component) => feedsInScope(component, store));
}

function scopeOf(kind: 'org' | 'zone' | 'store', store: Pick<Store, 'storeId' | 'zone'>): Scope | null {
  if (kind === 'org') return 'org';
  if (kind === 'store') return `store:${store.storeId}`;
  return store.zone === null ? null : `zone:${store.zone}`;
}
