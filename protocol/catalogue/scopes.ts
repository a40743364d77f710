import type { Scope } from '../feed.ts';
import { collections, components } from './catalogue.ts';
import type { Collection, Component, ComponentName, ScopeChoice, ScopeRule } from './types.ts';

/**
 * Scope by catalogue and organization: what an organization chose, and what follows from it for every collection.
 *
 * A choice is made for a component and holds for those of its collections that allow it; the others keep the
 * catalogue's rule. Head office alone knows the choices. A store is told the kinds that differ from its catalogue.
 */
export type ScopeSettings = Readonly<Partial<Record<ComponentName, ScopeChoice>>>;

/** The part of a feed's name before the colon. */
export type ScopeKind = 'org' | 'zone' | 'store';

export function scopeRuleOf(collection: Collection, settings: ScopeSettings): ScopeRule {
  const chosen = settings[collection.component];
  return collection.scopeChoices?.find(({ by }) => by === chosen) ?? collection.scope;
}

/** What `orgs/<name>.json` may say for a component; empty when there is nothing to choose. */
export function scopeChoicesOf({ collections: own }: Component): ScopeChoice[] {
  const choosers = own.filter(({ scopeChoices }) => scopeChoices !== undefined);
  return [...new Set(choosers.flatMap(({ scope, scopeChoices = [] }) => [scope, ...scopeChoices].map(({ by }) => by)))];
}

/** Why the settings are not possible, by component; empty when they are. */
export function scopeSettingIssues(settings: ScopeSettings): { component: ComponentName; reason: string }[] {
  return components.flatMap((component) => {
    const chosen = settings[component.name];
    const allowed = scopeChoicesOf(component);
    if (chosen === undefined || allowed.includes(chosen)) return [];
    const reason = allowed.length === 0 ? 'there is no choice for this component' : `may be ${allowed.join(' or ')}, not ${chosen}`;
    return [{ component: component.name, reason }];
  });
}

export function scopeKindOf(rule: ScopeRule): ScopeKind {
  return rule.by === 'working-set' ? 'store' : rule.by;
}

/** The kinds of scope its collections have: one feed for each, per store. */
export function scopeKinds(component: Component, settings: ScopeSettings): ScopeKind[] {
  const kinds = new Set(component.collections.map((collection) => scopeKindOf(scopeRuleOf(collection, settings))));
  return (['org', 'zone', 'store'] as const).filter((kind) => kinds.has(kind));
}

/** Collections whose kind is not the catalogue's, for those who know the catalogue and not the settings. */
export function changedKinds(settings: ScopeSettings): Record<string, ScopeKind> {
  return Object.fromEntries(
    collections.flatMap((collection): [string, ScopeKind][] => {
      const kind = scopeKindOf(scopeRuleOf(collection, settings));
      return kind === scopeKindOf(collection.scope) ? [] : [[collection.name, kind]];
    }),
  );
}

export function kindOfScope(scope: Scope): ScopeKind {
  return scope === 'org' ? 'org' : scope.startsWith('zone:') ? 'zone' : 'store';
}
