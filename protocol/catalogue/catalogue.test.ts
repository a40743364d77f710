import { expect, test } from 'vitest';
import { collectionOf, collections, components, componentStatus, valueFields } from './catalogue.ts';
import { scopeKinds } from './scopes.ts';
import { COMPONENT_NAMES } from './types.ts';

test('there are the 14 components, each once', () => {
  expect(components.map((component) => component.name).sort()).toEqual([...COMPONENT_NAMES].sort());
  expect(components).toHaveLength(14);
  expect(components.filter((component) => !component.used).map((component) => component.name)).toEqual([
    'Inventory Master',
    'Customer Attributes',
    'Store Attributes',
    'Loyalty Tracker',
  ]);
});

test('six components are for clienteling stores only, four for nobody', () => {
  const inCore = components.map((component) => componentStatus(component, 'core'));
  const inClienteling = components.map((component) => componentStatus(component, 'clienteling'));
  expect(inCore.filter((status) => status === 'NOT_ENABLED')).toHaveLength(6);
  expect(inClienteling.filter((status) => status === 'ENABLED')).toHaveLength(10);
  expect(inClienteling.filter((status) => status === 'NOT_USED')).toHaveLength(4);
});

test('names are unique and are SQL names that are not ours', () => {
  expect(new Set(collections.map((collection) => collection.name)).size).toBe(collections.length);
  for (const collection of collections) {
    const names = collection.fields.map((field) => field.name);
    expect(new Set(names).size, collection.name).toBe(names.length);
    for (const name of [collection.name, ...names]) expect(name).toMatch(/^[a-z][a-z0-9_]*$/);
    for (const reserved of ['key', 'rev', 'extra']) expect(names).not.toContain(reserved);
  }
});

test.each(collections.map((collection) => [collection.name, collection] as const))('%s: what it refers to exists', (_, collection) => {
  const byName = new Map(collection.fields.map((field) => [field.name, field]));
  for (const part of collection.key) {
    expect(byName.get(part)?.required, part).toBe(true);
    expect(['id', 'integer', 'enum', 'text']).toContain(byName.get(part)?.type.kind);
  }
  expect(collection.fields.slice(0, collection.key.length).map((field) => field.name)).toEqual(collection.key);
  for (const name of collection.indexes.flat()) expect(byName.has(name), name).toBe(true);
  for (const field of collection.fields) {
    if (field.type.kind === 'money') expect(byName.get(field.type.currency)?.type.kind, field.name).toBe('currency');
    expect(field.description, field.name).toMatch(/\.$/);
  }
  if ('field' in collection.scope) expect(byName.get(collection.scope.field)?.required).toBe(true);
  for (const rule of collection.scopeChoices ?? []) if ('field' in rule) expect(byName.has(rule.field)).toBe(true);
  expect(valueFields(collection).length).toBe(collection.fields.length - (collection.key.length === 1 ? 1 : 0));
});

test('money always has a currency, and no field can hold a float', () => {
  const kinds = new Set(collections.flatMap((collection) => collection.fields.map((field) => field.type.kind)));
  expect(kinds.has('decimal')).toBe(true);
  expect([...kinds]).not.toContain('number');
});

test('sensitive fields are marked as such', () => {
  const sensitive = collectionOf('customer').fields.filter((field) => field.personalData === 'sensitive');
  expect(sensitive.map((field) => field.name).sort()).toEqual([
    'dob',
    'ethnicity',
    'marital_status',
    'nationality',
    'religion',
    'ssn_number',
  ]);
});

test('a table is fed by one feed: scopes of a component', () => {
  expect(
    scopeKinds(
      components.find((component) => component.name === 'Task Metadata')!,
      {},
    ),
  ).toEqual(['org', 'store']);
  expect(() => collectionOf('nothing')).toThrow(/there is no collection "nothing"; there are /);
});
