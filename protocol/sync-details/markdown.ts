import { EDITIONS } from '../catalogue/types.ts';
import type { UpChange } from './occurring.ts';
import type { AttributeDetails, CollectionDetails, ComponentDetails, SyncDetails } from './schema.ts';

/** Data Sync Details to read and to print: contents, what the statuses mean, a section a component. */
const HEAD = `# Data Sync Details

What is kept in step between head office and its stores: every component, its attributes, which of them are updated in each
direction, and the statuses that each can have. ▲ goes up from a store, ▼ comes down to stores.

Generated from the catalogue by \`storeline data-sync-details\`; not to be edited by hand.`;

export function detailsAsMarkdown(details: SyncDetails): string {
  const blocks = [HEAD, ...contents(details), ...directions(details), ...statuses(details), ...details.components.flatMap(componentBlocks)];
  return `${blocks.filter((block) => block !== '').join('\n\n')}\n`;
}

function contents({ components }: SyncDetails): string[] {
  const rows = components.map(({ name, status, direction, collections }) => [
    link(name),
    ...EDITIONS.map((edition) => code(status[edition])),
    ARROWS[direction],
    collections.map((collection) => code(collection.name)).join(', '),
  ]);
  const more = ['Directions and rules', 'Statuses of a record', 'Statuses of an attribute'].map((title) => `- ${link(title)}`);
  return [
    '## Contents',
    more.join('\n'),
    table(['Component', ...EDITIONS.map((edition) => `In ${edition} stores`), 'Direction', 'Collections'], rows),
  ];
}

const ARROWS: Readonly<Record<ComponentDetails['direction'], string>> = { down: '▼', up: '▲', both: '▲▼', none: '–' };
const NEXT: Readonly<Record<SyncDetails['statuses']['recordUp'][number]['next'], string>> = {
  system: 'goes on by itself',
  person: 'a person decides',
  nobody: 'final',
};

function directions({ rules }: SyncDetails): string[] {
  return [
    '## Directions and rules',
    'A record comes down whole. What a store sends of it is said attribute by attribute:',
    table(
      ['Direction', 'Means'],
      [
        ['▼', 'Head office sets it; no store does.'],
        ['▲ ▼', 'A store sets it with a new record and whenever it changes.'],
        ['▲ once ▼', 'A store sets it with a new record, or later while it has no value.'],
        ['▲ new ▼', 'A store sets it with a new record only.'],
        ['▼ if shared', 'Sensitive: neither sent to stores nor taken from them unless the organization shares it.'],
      ],
    ),
    'When a store and head office, or two stores, write the same, the rule decides:',
    table(
      ['Rule', 'Name', 'Of an attribute'],
      rules.map(({ rule, name, attribute }) => [rule, name, cell(attribute)]),
    ),
  ];
}

function statuses({ components, statuses: { recordUp, recordDown, attribute, notGivenYet } }: SyncDetails): string[] {
  return [
    '## Statuses of a record',
    'Of a record on its way up, from the moment it is recorded in the store:',
    table(
      ['Status ▲', 'Means', 'Then'],
      recordUp.map(({ status, description, next }) => [code(status), cell(description), NEXT[next]]),
    ),
    'Of a record that comes down:',
    table(
      ['Status ▼', 'Means'],
      recordDown.map(({ status, description }) => [code(status), cell(description)]),
    ),
    '## Statuses of an attribute',
    table(
      ['Status', 'Means', 'When'],
      attribute.map(({ status, description }) => [code(status), cell(description), cell(causes(components, status, description))]),
    ),
    notGivenYet.length === 0 ? '' : `Reserved words that nothing has yet: ${codes(notGivenYet)}.`,
  ];
}

/** The sentences that attributes with this status say besides its own. */
function causes(components: readonly ComponentDetails[], status: string, means: string): string {
  const cases = components.flatMap(({ collections }) => collections.flatMap(({ attributes }) => attributes.flatMap((one) => one.statuses)));
  const own = cases.filter((one) => one.status === status).map(({ description }) => description);
  const sentences = own.flatMap((description) => description.split(/(?<=\.) /));
  return [...new Set(sentences)].filter((sentence) => !means.includes(sentence)).join(' ');
}

function componentBlocks({ name, description, status, why, collections }: ComponentDetails): string[] {
  const missing = EDITIONS.filter((edition) => status[edition] !== 'ENABLED');
  const where = missing.length === EDITIONS.length ? 'every store' : `stores of the edition ${missing.join(', ')}`;
  const [first] = missing;
  return [
    `## ${name}`,
    description,
    first === undefined ? '' : `${code(status[first])} in ${where}. ${why ?? ''}`,
    ...collections.flatMap((collection) => collectionBlocks(name, collection)),
  ];
}

function collectionBlocks(component: string, collection: CollectionDetails): string[] {
  const { name, description, attributes } = collection;
  return [
    `### ${component}: ${code(name)}`,
    description,
    table(['What', 'How'], facts(collection)),
    table(['Attribute', 'Type', 'Direction', 'Rule', 'Statuses'], attributes.map(attributeRow)),
  ];
}

function facts(collection: CollectionDetails): string[][] {
  const { key, direction, rule, ruleName, ruleDescription, heldBy, heldByChoices, fieldsUp, fieldsDown, recordStatuses } = collection;
  const choices = heldByChoices.map((choice) => `; an organization may choose ${choice}`).join('');
  return [
    ['Direction', ARROWS[direction]],
    ['Key', codes(key)],
    ['Rule', `${rule}, ${ruleName}. ${cell(ruleDescription)}`],
    ['Held by', `${heldBy}${choices}`],
    ...(direction === 'down'
      ? []
      : [
          ['Updated ▲ with a new record', codes(fieldsUp.made)],
          ['Updated ▲ while it has no value', codes(fieldsUp.once)],
          ['Updated ▲ whenever it changes', codes(fieldsUp.changed)],
        ]),
    ['Updated ▼', `whole records, all ${fieldsDown.all.length} attributes`],
    ...(direction === 'down' ? [] : [['of them ▼ only', codes(fieldsDown.headOfficeOnly)]]),
    ...(fieldsDown.ifShared.length === 0 ? [] : [['of them ▼ only if the organization shares them', codes(fieldsDown.ifShared)]]),
    ...(recordStatuses.up.length === 0 ? [] : [['Statuses of a record ▲', codes(recordStatuses.up)]]),
    ['Statuses of a record ▼', codes(recordStatuses.down)],
  ];
}

const UP: Readonly<Record<UpChange, string>> = { never: '', made: '▲ new ', once: '▲ once ', changed: '▲ ' };

function attributeRow({ name, key, required, description, type, up, down, rule, statuses: own }: AttributeDetails): string[] {
  const mark = key ? ' (key)' : required ? ' (required)' : '';
  const direction = `${UP[up]}${down === 'always' ? '▼' : '▼ if shared'}`;
  return [`${code(name)}${mark} ${cell(description)}`, cell(type), direction, rule, own.map(({ status }) => status).join(', ')];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

/** Text that stays text within a table. */
function cell(text: string): string {
  return text.replaceAll(/[|<*]/g, (mark) => (mark === '<' ? '&lt;' : `\\${mark}`)).replaceAll(/\s+/g, ' ');
}

function code(name: string): string {
  return `\`${name}\``;
}

function codes(names: readonly string[]): string {
  return names.length === 0 ? '–' : names.map(code).join(', ');
}

function link(title: string): string {
  return `[${title}](#${title.toLowerCase().replaceAll(' ', '-')})`;
}
