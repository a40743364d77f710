import { componentStatus, components } from '../../protocol/catalogue/catalogue.ts';
import { type ScopeKind, type ScopeSettings, scopeKinds } from '../../protocol/catalogue/scopes.ts';
import type { Component } from '../../protocol/catalogue/types.ts';
import { type FeedName, type Scope, feedName } from '../../protocol/feed.ts';
import type { Store } from '../ports/store-registry.ts';

/**
 * The feeds a store may read, and nothing else (INV-24): from the store's own row and the organization's settings,
 * never from a request.
 */
type StoreScope = Pick<Store, 'storeId' | 'zone' | 'edition'>;

export function feedsInScope(component: Component, store: StoreScope, settings: ScopeSettings): FeedName[] {
  if (componentStatus(component, store.edition) !== 'ENABLED') return [];
  return scopeKinds(component, settings).flatMap((kind) => {
    const scope = scopeOf(kind, store);
    return scope === null ? [] : [feedName(component.name, scope)];
  });
}

export function allFeedsInScope(store: StoreScope, settings: ScopeSettings): FeedName[] {
  return components.flatMap((component) => feedsInScope(component, store, settings));
}

function scopeOf(kind: ScopeKind, store: Pick<Store, 'storeId' | 'zone'>): Scope | null {
  if (kind === 'org') return 'org';
  if (kind === 'store') return `store:${store.storeId}`;
  return store.zone === null ? null : `zone:${store.zone}`;
}
