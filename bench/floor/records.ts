/**
 * The records all measurements share: customers of 444 bytes as JSON, each a pure function of its number.
 * Key order of a snapshot is random order of creation, as with real ids.
 */
export function rng(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function mix(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 16), 0x7feb352d);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x846ca68b);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

const hex = (value: number) => (value >>> 0).toString(16).padStart(8, '0');

export function uuid(salt: number, index: number): string {
  const a = mix(index * 4 + salt);
  const b = mix(a ^ (index + 1));
  const c = mix(b + 0x9e3779b9 + index);
  const d = mix(c ^ salt ^ index);
  const digits = hex(a) + hex(b) + hex(c) + hex(d);
  return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-4${digits.slice(13, 16)}-a${digits.slice(17, 20)}-${digits.slice(20, 32)}`;
}

const FIRST =
  'James Mary Robert Patricia John Jennifer Michael Linda David Elizabeth William Barbara Richard Susan Joseph Jessica Thomas Sarah Carlos Karen Daniel Lisa Matthew Nancy Anthony Betty Mark Sandra Paul Ashley Steven Emily Andrew Kimberly Kenneth Margaret Joshua Donna Kevin Michelle Brian Carol George Amanda Timothy Melissa Ronald Deborah Jason Stephanie'.split(
    ' ',
  );
const LAST =
  'Smith Johnson Williams Brown Jones Garcia Miller Davis Rodriguez Martinez Hernandez Lopez Gonzalez Wilson Anderson Thomas Taylor Moore Jackson Martin Lee Perez Thompson White Harris Sanchez Clark Ramirez Lewis Robinson Walker Young Allen King Wright Scott Torres Nguyen Hill Flores Green Adams Nelson Baker Hall Rivera Campbell Mitchell Carter Roberts'.split(
    ' ',
  );
const STREETS =
  'Oak Maple Cedar Pine Elm Washington Lake Hill Walnut Spring North Ridge Church Willow Mill Sunset Railroad Jefferson Center Highland'.split(
    ' ',
  );
const CITIES =
  'Springfield Franklin Greenville Bristol Clinton Fairview Salem Madison Georgetown Arlington Ashland Dover Oxford Jackson Burlington Manchester Milton Newport Auburn Centerville'.split(
    ' ',
  );
const DOMAINS = ['gmail.com', 'yahoo.com', 'outlook.com', 'icloud.com', 'example.org'];
const TIERS = ['bronze', 'silver', 'gold', 'platinum'];
const T0 = 1_735_689_600_000;

function pick<T>(random: () => number, list: readonly T[]): T {
  return list[Math.floor(random() * list.length)] as T;
}

export interface FloorCustomer {
  id: string;
  seq: number;
  updatedAt: number;
  deleted: boolean;
  phone: string;
  email: string;
  profile: Record<string, unknown>;
  loyalty: Record<string, unknown>;
}

export function customer(index: number, rev = 0): FloorCustomer {
  const r = rng(mix(index * 2_654_435_761));
  const q = rng(mix(index ^ (rev * 7_919 + 13)));
  const first = pick(r, FIRST);
  const last = pick(r, LAST);
  const two = (value: number) => String(value).padStart(2, '0');
  return {
    id: uuid(1, index),
    seq: rev === 0 ? index + 1 : 1e9 + rev * 1e7 + index,
    updatedAt: T0 + Math.floor(r() * 5e9) * 6 + rev * 86_400_000,
    deleted: false,
    phone: `+1${String(2_000_000_000 + Math.floor(r() * 7_999_999_999))}`,
    email: `${first}.${last}${Math.floor(r() * 9_999)}@${pick(r, DOMAINS)}`.toLowerCase(),
    profile: {
      first,
      last,
      born: `${1940 + Math.floor(r() * 65)}-${two(1 + Math.floor(r() * 12))}-${two(1 + Math.floor(r() * 28))}`,
      addr: {
        line1: `${1 + Math.floor(r() * 9_999)} ${pick(r, STREETS)} St`,
        city: pick(r, CITIES),
        zip: String(10_000 + Math.floor(r() * 89_999)),
      },
      consent: { email: r() > 0.3, sms: r() > 0.6 },
      home: `store-${String(Math.floor(r() * 5_000)).padStart(4, '0')}`,
    },
    loyalty: {
      tier: pick(q, TIERS),
      points: Math.floor(q() * 50_000),
      lifetime: Math.round(q() * 1e6) / 100,
      visits: Math.floor(q() * 300),
      last: T0 + Math.floor(q() * 5e9) * 6,
    },
  };
}

export interface FloorTransaction {
  id: string;
  at: number;
  customerId: string;
  store: string;
  kind: string;
  points: number;
  amount: number;
  receipt: string;
}

export function transaction(index: number): FloorTransaction {
  const r = rng(mix(index * 40_503 + 7));
  return {
    id: uuid(2, index),
    at: T0 + index * 1_000,
    customerId: uuid(1, Math.floor(r() * 1_000_000)),
    store: `store-${String(Math.floor(r() * 5_000)).padStart(4, '0')}`,
    kind: pick(r, ['CREDIT', 'DEBIT']),
    points: Math.floor(r() * 2_000),
    amount: Math.round(r() * 30_000) / 100,
    receipt: `R${hex(r() * 4_294_967_295)}`,
  };
}

export function couponOf(index: number): { id: string; customerId: string; code: string; state: string; series: string; validTo: number } {
  const r = rng(mix(index * 69_069 + 3));
  return {
    id: uuid(3, index),
    customerId: uuid(1, Math.floor(r() * 1_000_000)),
    code: hex(r() * 4_294_967_295).toUpperCase(),
    state: pick(r, ['UNREDEEMED', 'REDEEMED']),
    series: `series-${Math.floor(r() * 50)}`,
    validTo: T0 + Math.floor(r() * 365) * 86_400_000,
  };
}

/** Numbers in the order of their ids, as a snapshot has them. */
export function sortedIndexes(count: number): number[] {
  const ids = Array.from({ length: count }, (_, index) => uuid(1, index));
  return Array.from({ length: count }, (_, index) => index).sort((a, b) => ((ids[a] as string) < (ids[b] as string) ? -1 : 1));
}

/** The row both floors insert: nested values as JSON text. */
export function floorRow(record: FloorCustomer): (string | number)[] {
  return [
    record.id,
    record.seq,
    record.updatedAt,
    record.deleted ? 1 : 0,
    record.phone,
    record.email,
    JSON.stringify(record.profile),
    JSON.stringify(record.loyalty),
  ];
}
