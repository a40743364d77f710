import { beforeAll, describe, expect, test } from 'vitest';
import { contactRequestSchema } from '../../protocol/messages/contact.ts';
import { enrolRequestSchema } from '../../protocol/messages/enrol.ts';
import { lookupRequestSchema } from '../../protocol/messages/lookup.ts';
import { planRequestSchema } from '../../protocol/messages/plan.ts';
import { forkRequestSchema, pushRequestSchema } from '../../protocol/messages/push.ts';
import { redeemRequestSchema } from '../../protocol/messages/redeem.ts';
import { reportRequestSchema } from '../../protocol/messages/report.ts';
import { PROTOCOL_VERSION, PROTOCOL_VERSION_MIN, inVersion } from '../../protocol/version.ts';
import { type Exchange, readExchanges } from '../fixtures/exchanges/exchange.ts';
import { recordExchanges } from '../fixtures/exchanges/record-exchanges.ts';

/**
 * Agents that were not updated: what they were recorded to send is taken in, and nothing that they were answered is missing from
 * what head office answers today, or is of another type. The recordings were made with real agents of each version.
 */
const OLDER = Array.from({ length: PROTOCOL_VERSION - PROTOCOL_VERSION_MIN }, (_, back) => PROTOCOL_VERSION_MIN + back);
const SCHEMAS = {
  '/v1/enrol': enrolRequestSchema,
  '/v1/plan': planRequestSchema,
  '/v1/report': reportRequestSchema,
  '/v1/push': pushRequestSchema,
  '/v1/fork': forkRequestSchema,
  '/v1/lookup': lookupRequestSchema,
  '/v1/redeem': redeemRequestSchema,
  '/v1/contact': contactRequestSchema,
} as const;
let today: Exchange[];

beforeAll(async () => {
  today = await recordExchanges();
});

test('head office serves the two versions before its own, or all there were', () => {
  expect(PROTOCOL_VERSION - PROTOCOL_VERSION_MIN).toBe(Math.min(2, PROTOCOL_VERSION - 1));
});

describe.each(OLDER)('agents of version %i', (version) => {
  const exchanges = readExchanges(version);

  test('every door was recorded', () => {
    expect([...new Set(exchanges.map(({ path }) => path))].toSorted()).toEqual(Object.keys(SCHEMAS).toSorted());
    expect(new Set(exchanges.map(({ request }) => request['protocol']))).toEqual(new Set([version]));
  });

  test('what they send is taken in', () => {
    for (const { path, request } of exchanges) expect(SCHEMAS[path as keyof typeof SCHEMAS].safeParse(request).error).toBeUndefined();
  });

  test('nothing they were answered is missing, or something else', () => {
    const answered = fieldsOf(today);
    for (const [door, fields] of fieldsOf(exchanges)) {
      const missing = [...fields].filter((field) => answered.get(door)?.has(field) !== true);
      expect([door, missing]).toEqual([door, []]);
    }
  });

  test('an agent of today says nothing that such a head office would not know', () => {
    const known = namesSaid(exchanges.map(({ path, request }) => ({ path, request })));
    const said = namesSaid(
      today.map(({ path, request }) => ({ path, request: inVersion(version, { ...request, protocol: PROTOCOL_VERSION }) })),
    );
    expect([...said.keys()].toSorted()).toEqual([...known.keys()].toSorted());
    for (const [door, names] of said) expect([door, [...names].filter((name) => known.get(door)?.has(name) !== true)]).toEqual([door, []]);
  });
});

/** By door and status, `path:type` of every value that was answered; entries of a list are told apart by what they are. */
function fieldsOf(exchanges: readonly Exchange[]): Map<string, Set<string>> {
  const doors = new Map<string, Set<string>>();
  for (const { path, status, response } of exchanges) {
    const fields = doors.get(`${path} ${status}`) ?? new Set();
    collect(response, '', fields);
    doors.set(`${path} ${status}`, fields);
  }
  return doors;
}

/** By door, the path of every name in a request, whatever it stands for. */
function namesSaid(requests: readonly Pick<Exchange, 'path' | 'request'>[]): Map<string, Set<string>> {
  const doors = new Map<string, Set<string>>();
  const add = (value: unknown, path: string, into: Set<string>): void => {
    if (Array.isArray(value)) for (const entry of value as unknown[]) add(entry, `${path}[]`, into);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return;
    for (const [name, part] of Object.entries(value)) {
      into.add(`${path}.${name}`);
      if (!SAID.has(`${path}.${name}`)) add(part, `${path}.${name}`, into);
    }
  };
  for (const { path, request } of requests) {
    const names = doors.get(path) ?? new Set();
    add(request, '', names);
    doors.set(path, names);
  }
  return doors;
}

/** Names of these are data: what is answered, and what is said. */
const SAID = new Set(['.operations[].fields', '.fields']);
const RECORDS = new Set(['.customer', '.scopes', '.loyalty[]', '.bills[]', '.put.headers']);

function collect(value: unknown, path: string, into: Set<string>): void {
  if (value === null || RECORDS.has(path)) return;
  if (Array.isArray(value)) for (const entry of value as unknown[]) collect(entry, `${path}[${kindOf(entry)}]`, into);
  else if (typeof value === 'object') for (const [name, part] of Object.entries(value)) collect(part, `${path}.${name}`, into);
  else into.add(`${path}:${typeof value}`);
}

function kindOf(entry: unknown): string {
  if (typeof entry !== 'object' || entry === null) return '';
  const { action } = entry as { readonly action?: unknown };
  return typeof action === 'string' ? action : '';
}
