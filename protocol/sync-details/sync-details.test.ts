import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { collections, components } from '../catalogue/catalogue.ts';
import { COMPONENT_NAMES } from '../catalogue/types.ts';
import { csvText, detailsAsCsv } from './csv.ts';
import { detailsAsMarkdown } from './markdown.ts';
import { syncDetailsSchema } from './schema.ts';
import { syncDetails } from './sync-details.ts';
import { upStatusTexts } from './statuses.ts';

const details = syncDetails();
const markdown = detailsAsMarkdown(details);
const rows = parse(detailsAsCsv(details), { columns: true }) as Record<string, string>[];
const everyField = collections.flatMap(({ component, name, fields }) => fields.map((field) => `${component}/${name}/${field.name}`)).sort();

test('docs/data-sync-details.md is what the catalogue says now; -u writes it', async () => {
  await expect(markdown).toMatchFileSnapshot('../../docs/data-sync-details.md');
});

test('every attribute of the catalogue stands once in the data, in the CSV and in the markdown', () => {
  const inData = details.components.flatMap(({ name, collections: own }) =>
    own.flatMap((collection) => collection.attributes.map((attribute) => `${name}/${collection.name}/${attribute.name}`)),
  );
  expect(inData.sort()).toEqual(everyField);
  const inCsv = rows
    .filter(({ attribute }) => attribute !== '')
    .map((row) => `${row['component']}/${row['collection']}/${row['attribute']}`);
  expect(inCsv.sort()).toEqual(everyField);
  expect(attributesInMarkdown().sort()).toEqual(everyField);
});

/** Names in the first column of the tables of attributes, under the heading of their collection. */
function attributesInMarkdown(): string[] {
  let [collection, isAttributes] = ['', false];
  const names: string[] = [];
  for (const line of markdown.split('\n')) {
    const heading = /^### (.+): `(.+)`$/.exec(line);
    if (heading !== null) collection = `${heading[1]}/${heading[2]}`;
    if (line.startsWith('| Attribute |')) isAttributes = true;
    else if (!line.startsWith('|')) isAttributes = false;
    const name = /^\| `([a-z0-9_]+)`/.exec(line)?.[1];
    if (isAttributes && name !== undefined) names.push(`${collection}/${name}`);
  }
  return names;
}

test('all 14 components are there in the catalogue’s order, those a store does not have with why', () => {
  expect(details.components.map(({ name }) => name)).toEqual(components.map(({ name }) => name));
  for (const { name, status, why, collections: own } of details.components) {
    const section = markdown.split(`\n## ${name}\n`)[1]?.split('\n## ')[0] ?? '';
    const inCsv = rows.filter(({ component }) => component === name);
    const idle = Object.values(status).filter((one) => one !== 'ENABLED');
    expect(inCsv.length, name).toBeGreaterThan(0);
    expect(why === null, name).toBe(idle.length === 0);
    for (const one of idle) {
      expect(section).toContain(`\`${one}\` in `);
      expect(section).toContain(why);
      expect(inCsv.every((row) => row['why'] === why && Object.values(row).includes(one))).toBe(true);
    }
    if (status.core === 'NOT_USED') expect([own, inCsv.length]).toEqual([[], 1]);
  }
});

test('of one component: its own attributes, and what all statuses mean', () => {
  for (const only of COMPONENT_NAMES) {
    const one = syncDetails({ only });
    expect(one.components).toEqual(details.components.filter(({ name }) => name === only));
    expect(one.statuses).toEqual(details.statuses);
    expect(detailsAsMarkdown(one)).toContain(`\n## ${only}\n`);
  }
});

test('the data fits its schema, also when read again, and says the same each time', () => {
  expect(syncDetailsSchema.parse(JSON.parse(JSON.stringify(details)))).toEqual(details);
  expect(JSON.stringify(syncDetailsSchema.parse(details))).toBe(JSON.stringify(syncDetailsSchema.parse(syncDetails())));
});

test('every status that something has is described, and no word is described that nothing has', () => {
  const { recordUp, recordDown, attribute, notGivenYet } = details.statuses;
  const own = details.components.flatMap((component) => component.collections);
  const given = {
    up: new Set<string>(own.flatMap(({ recordStatuses }) => recordStatuses.up)),
    down: new Set<string>(own.flatMap(({ recordStatuses }) => recordStatuses.down)),
    attribute: new Set<string>(own.flatMap(({ attributes }) => attributes.flatMap(({ statuses }) => statuses.map(({ status }) => status)))),
  };
  expect(recordUp.map(({ status }) => status).sort()).toEqual([...given.up].sort());
  expect(recordDown.map(({ status }) => status).sort()).toEqual([...given.down].sort());
  expect(attribute.map(({ status }) => status).sort()).toEqual([...given.attribute].sort());
  expect(notGivenYet).toEqual([]);
  for (const { status, description } of [...recordUp, ...recordDown, ...attribute]) {
    expect(description, status).toMatch(/^[A-Z].+\.$/);
    expect(markdown).toContain(`| \`${status}\` | ${description}`);
  }
  for (const { name, attributes } of own)
    for (const { name: field, statuses } of attributes) {
      expect(statuses[0]?.status).toBe('SYNCED');
      expect(new Set(statuses.map(({ status }) => status)).size).toBe(statuses.length);
      for (const { description } of statuses) expect(description, `${name}.${field}`).toMatch(/^[A-Z].+\.$/);
    }
  expect(Object.values(upStatusTexts).every(({ description }) => description.endsWith('.'))).toBe(true);
});

test('every rule that something has is described, of a record and of an attribute', () => {
  const used = new Set(collections.flatMap(({ rule, fields }) => [rule, ...fields.map((field) => field.rule)]));
  expect([...used].filter((one) => !details.rules.some(({ rule }) => rule === one))).toEqual([]);
  for (const { rule, name, record, attribute } of details.rules) {
    expect(
      [record, attribute].every((text) => /^[A-Z].+\.$/.test(text)),
      rule,
    ).toBe(true);
    expect(markdown).toContain(`| ${rule} | ${name} | ${attribute} |`);
  }
});

test('fields that are updated are attributes of the collection, each in one list, and nothing goes up where nothing may', () => {
  for (const { direction, fieldsUp, fieldsDown, attributes, recordStatuses } of details.components.flatMap((one) => one.collections)) {
    const up = [...fieldsUp.made, ...fieldsUp.once, ...fieldsUp.changed];
    expect(new Set(up).size).toBe(up.length);
    expect([...up, ...fieldsDown.headOfficeOnly].sort()).toEqual(attributes.map(({ name }) => name).sort());
    expect(fieldsDown.all).toEqual(attributes.map(({ name }) => name));
    expect(fieldsDown.ifShared).toEqual(attributes.filter(({ down }) => down === 'if-shared').map(({ name }) => name));
    expect(up.length > 0).toBe(direction !== 'down');
    expect(recordStatuses.up.length > 0).toBe(direction !== 'down');
    expect(recordStatuses.down.includes('LOCAL_EDIT_PENDING')).toBe(direction !== 'down');
  }
});

test('withheld are the sensitive attributes and no other', () => {
  const withheld = details.components.flatMap(({ collections: own }) =>
    own.flatMap(({ attributes }) => attributes.filter(({ statuses }) => statuses.some(({ status }) => status === 'WITHHELD'))),
  );
  expect(withheld.map(({ name }) => name).sort()).toEqual(['dob', 'ethnicity', 'marital_status', 'nationality', 'religion', 'ssn_number']);
});

test('tables of the markdown have as many cells in each row, and fit a page', () => {
  const tables = markdown.split('\n\n').filter((block) => block.startsWith('|'));
  expect(tables.length).toBeGreaterThan(collections.length * 2);
  for (const table of tables) {
    const lines = table.split('\n').map((line) => line.slice(2, -2).split(/(?<!\\) \| /));
    expect(new Set(lines.map((cells) => cells.length)).size, table.slice(0, 200)).toBe(1);
    expect(lines[1]?.every((cell) => cell === '---')).toBe(true);
    // As narrow as its longest words allow, in characters; a printed page of A4 has about 95.
    const widths = lines[0]?.map((_, column) => Math.max(...lines.flatMap((cells) => (cells[column] ?? '').split(' ').map(shown))));
    expect((widths ?? []).reduce((sum, width) => sum + width + 3, 0)).toBeLessThan(95);
  }
});

test('text of the catalogue stays text within its cell', () => {
  const fraud = syncDetails({ only: 'Fraud Users List' });
  for (const collection of fraud.components[0]?.collections ?? [])
    for (const attribute of collection.attributes) attribute.description = 'One | two\nof <b>three</b> *four*.';
  const table =
    detailsAsMarkdown(fraud)
      .trimEnd()
      .split('\n\n')
      .find((block) => block.startsWith('| Attribute |'))
      ?.split('\n') ?? [];
  expect(table).toHaveLength(2 + 5);
  for (const row of table.slice(2)) expect(row).toContain(' One \\| two of &lt;b>three&lt;/b> \\*four\\*. | ');
});

/** Without the marks that are not printed. */
function shown(word: string): number {
  return word.replaceAll(/`|\]\(#.*\)|\[|\\/g, '').length;
}

test('links of the contents lead to headings', () => {
  const headings = new Set(
    [...markdown.matchAll(/^##+ (.+)$/gm)].map(([, title = '']) =>
      title
        .toLowerCase()
        .replaceAll(/[^a-z_ -]/g, '')
        .replaceAll(' ', '-'),
    ),
  );
  const links = [...markdown.matchAll(/\]\(#([^)]+)\)/g)].map(([, anchor = '']) => anchor);
  expect(links).toHaveLength(3 + 14);
  expect(links.filter((anchor) => !headings.has(anchor))).toEqual([]);
});

test('CSV is read back as it was, and no cell begins like a formula', () => {
  expect(csvText([['=1', '+1', '-1', '@a', 'a=1']])).toBe(`"'=1","'+1","'-1","'@a",a=1\r\n`);
  const cellText = fc.oneof(fc.string({ unit: 'grapheme' }), fc.stringMatching(/^[=+\-@\t\r",\n' a]{0,6}$/));
  fc.assert(
    fc.property(fc.array(fc.tuple(cellText, cellText), { minLength: 1 }), (table) => {
      const text = csvText(table);
      expect(text.endsWith('\r\n')).toBe(true);
      const read = parse(text, { record_delimiter: '\r\n', skip_empty_lines: false, relax_column_count: false });
      const expected = table.map((cells) => cells.map((cell) => (/^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell)));
      expect(read).toEqual(expected);
    }),
  );
});
