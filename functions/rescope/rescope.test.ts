import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { MainRecord, RecordWrite } from '../../core/ports/record-store.ts';
import type { RescopeWork } from '../../core/working-set/rescope-trigger.ts';
import { limits } from '../../protocol/limits.ts';
import { Faults } from '../../test/simulation/world/faults.ts';
import { HeadOffice } from '../../test/simulation/world/head-office.ts';
import { rescope, reviewDue } from './rescope.ts';

/** Head office with customers by working set. The index by owner lags, work is doubled and reordered. */
const STORES = ['S1', 'S2', 'S3'];
const DAY_MS = 86_400_000;
const LAG_STEPS = 4;
const shop = fc.constantFrom(...STORES);
const who = fc.constantFrom('1', '2', '3');
const number = fc.constantFrom('a', 'b', 'c', 'd');

type Step =
  | { readonly kind: 'customer'; readonly user: string; readonly home: string | null; readonly name: string }
  | { readonly kind: 'bill'; readonly bill: string; readonly user: string | null; readonly store: string; readonly daysAgo: number }
  | { readonly kind: 'line'; readonly bill: string }
  | { readonly kind: 'summary'; readonly user: string }
  | { readonly kind: 'delete-customer'; readonly user: string }
  | { readonly kind: 'delete-bill'; readonly bill: string }
  | { readonly kind: 'deliver' | 'work'; readonly count: number; readonly twice: boolean }
  | { readonly kind: 'rest' }
  | { readonly kind: 'leap'; readonly days: number };

const stepArbitrary: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('customer' as const), user: who, home: fc.option(shop), name: fc.constantFrom('Ann', 'Bob') }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('bill' as const),
      bill: number,
      user: fc.option(who, { freq: 5 }),
      store: shop,
      daysAgo: fc.constantFrom(0, 300, 725, 729, 800),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('line' as const), bill: number }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('summary' as const), user: who }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete-customer' as const), user: who }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete-bill' as const), bill: number }) },
  {
    weight: 10,
    arbitrary: fc.record({
      kind: fc.constantFrom('deliver' as const, 'work' as const),
      count: fc.integer({ min: 1, max: 12 }),
      twice: fc.boolean(),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('rest' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('leap' as const), days: fc.constantFrom(1, 4, 20) }) },
);

class World {
  readonly head = new HeadOffice(Faults.none(), { rowsTarget: 4, rowsMax: 8 });
  readonly deps;
  #delivered = 0;
  readonly #marks: number[] = [];
  #later: { readonly at: number; readonly work: readonly RescopeWork[] }[] = [];

  constructor() {
    this.head.scopes = { Customer: 'working-set' };
    this.deps = {
      records: this.head.records,
      clock: this.head.clock,
      requests: {
        send: (work: readonly RescopeWork[]) => {
          // The minute that `again` waits is longer than the index lags.
          this.#later.push({ at: this.#marks.length + LAG_STEPS + 1, work: work.filter(({ kind }) => kind === 'again') });
          this.head.rescopes.push(...work.filter(({ kind }) => kind !== 'again'));
          return Promise.resolve();
        },
      },
    };
  }

  async do(step: Step): Promise<void> {
    this.head.now += 1_000;
    switch (step.kind) {
      case 'customer':
        await this.head.write('customer', [{ user_id: step.user, firstname: step.name, registered_store: step.home }]);
        break;
      case 'bill':
        await this.head.write('bill', [this.#bill(step)]);
        break;
      case 'line':
        await this.head.write('bill_line', [{ till_code: 'T', bill_client_id: step.bill, line_seq: 1, currency_code: 'GBP', amount: '1' }]);
        break;
      case 'summary':
        await this.head.write('loyalty_summary', [{ user_id: step.user, program_id: 'P', points: String(this.head.now % 1000) }]);
        break;
      case 'delete-customer':
        await this.head.write('customer', [], [step.user]);
        break;
      case 'delete-bill':
        await this.head.write('bill', [], [`T/${step.bill}`]);
        break;
      case 'deliver':
        await this.#deliver(step.count, step.twice);
        break;
      case 'work':
        await this.#work(step.count, step.twice);
        break;
      case 'rest':
        await this.#rest();
        break;
      case 'leap':
        for (let day = 0; day < step.days; day += 5) {
          this.head.now += Math.min(5, step.days - day) * DAY_MS;
          // No index lags for days.
          this.head.records.unindexed.clear();
          await reviewDue(this.deps);
        }
    }
    this.#ripen(this.#marks.length);
    // The index has what was written a few steps ago.
    this.#marks.push(this.head.records.stream.length);
    const written = this.head.records.stream.slice(this.#marks.at(-1 - LAG_STEPS) ?? 0).map(({ after }) => after as MainRecord);
    this.head.records.unindexed.clear();
    for (const { collection, key } of written) this.head.records.unindexed.add(`${collection}/${key}`);
  }

  async settle(): Promise<void> {
    this.head.records.unindexed.clear();
    await reviewDue(this.deps);
    do {
      await this.#rest();
      this.#ripen(Number.POSITIVE_INFINITY);
    } while (this.head.rescopes.length > 0);
  }

  /** What was not delivered never will be. */
  loseStream(): void {
    this.#delivered = this.head.records.stream.length;
  }

  #ripen(now: number): void {
    this.head.rescopes.push(...this.#later.filter(({ at }) => at <= now).flatMap(({ work }) => work));
    this.#later = this.#later.filter(({ at }) => at > now);
  }

  /** Everything that was asked for is done, with the index as it is. */
  async #rest(): Promise<void> {
    while (this.#delivered < this.head.records.stream.length || this.head.rescopes.length > 0) {
      await this.#deliver(50, false);
      await this.#work(50, false);
    }
  }

  #bill({ bill, user, store, daysAgo }: Extract<Step, { kind: 'bill' }>): object {
    const billing_time = new Date(this.head.now - daysAgo * DAY_MS).toISOString().replace(/\.\d+/, '');
    const type = user === null ? 'NOT_INTERESTED' : 'REGULAR';
    return {
      till_code: 'T',
      bill_client_id: bill,
      type,
      number: bill,
      billing_time,
      billing_zone: 'UTC',
      amount: '1',
      currency_code: 'GBP',
      store_code: store,
      user_id: user,
    };
  }

  async #deliver(count: number, twice: boolean): Promise<void> {
    const from = Math.max(0, this.#delivered - (twice ? 2 : 0));
    this.#delivered = Math.max(this.#delivered, await this.head.deliver(from, Math.min(from + count, this.head.records.stream.length)));
  }

  /** The queue keeps no order. */
  async #work(count: number, twice: boolean): Promise<void> {
    const some = this.head.rescopes.splice(twice ? Math.max(0, this.head.rescopes.length - count) : 0, count);
    // Two functions at once, with the same work and an edit between.
    const runs = [rescope(this.deps, some)];
    if (twice)
      runs.push(rescope(this.deps, some.toReversed()), this.do({ kind: 'customer', user: '1', home: 'S3', name: `n${this.head.now}` }));
    await Promise.all(runs);
  }
}

/** By the rule as the domain page has it, from main data. */
function expected(records: ReadonlyMap<string, MainRecord>, store: string, now: number): string[] {
  const live = [...records.values()].filter(({ deleted }) => !deleted);
  const bills = live.filter(({ collection }) => collection === 'bill');
  const isIn = (user: unknown): boolean => {
    const customer = live.find(({ collection, key }) => collection === 'customer' && key === user);
    if (customer === undefined) return false;
    const recent = bills.some(
      ({ fields }) =>
        fields['user_id'] === user &&
        fields['store_code'] === store &&
        Date.parse(String(fields['billing_time'])) + limits.workingSetMs > now,
    );
    return recent || customer.fields['registered_store'] === store;
  };
  const billIsIn = ({ fields }: MainRecord) => (fields['user_id'] === undefined ? fields['store_code'] === store : isIn(fields['user_id']));
  return live
    .filter((record) => {
      if (record.collection === 'bill') return billIsIn(record);
      if (record.collection === 'bill_line') return bills.some((bill) => record.key.startsWith(`${bill.key}/`) && billIsIn(bill));
      return isIn(record.fields['user_id'] ?? record.key);
    })
    .map(({ collection, key }) => `${collection}/${key}`)
    .sort();
}

test('INV-43: every store has exactly the customers of its working set with all that is theirs, whatever came in which order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(stepArbitrary, { minLength: 5, maxLength: 50, size: 'max' }), async (steps) => {
      const world = new World();
      for (const step of steps) await world.do(step);
      await world.settle();
      for (const store of STORES) {
        const held = [...(await world.head.foldOf(`Customer@store:${store}`, Number.MAX_SAFE_INTEGER)).keys()];
        expect({ store, held }).toEqual({ store, held: expected(world.head.records.records, store, world.head.now) });
      }
      expect((await world.head.foldOf('Customer@org', Number.MAX_SAFE_INTEGER)).size).toBe(0);
    }),
    { numRuns: 500 },
  );
});

test('a record whose request was lost with the stream is placed when it is sent through the stream again', async () => {
  const world = new World();
  await world.do({ kind: 'customer', user: '1', home: 'S1', name: 'Ann' });
  await world.settle();
  await world.do({ kind: 'summary', user: '1' });
  await world.do({ kind: 'customer', user: '2', home: 'S1', name: 'Bob' });
  world.loseStream();
  for (const { collection, key, rev } of world.head.records.records.values())
    await world.head.records.raiseRev({ collection, key, rev }, rev + 1);
  await world.settle();
  const held = [...(await world.head.foldOf('Customer@store:S1', Number.MAX_SAFE_INTEGER)).keys()];
  expect(held).toEqual(['customer/1', 'customer/2', 'loyalty_summary/1/P']);
});

test('a record that is edited while it is placed is placed all the same, by the last who looks', async () => {
  const world = new World();
  const { head } = world;
  await world.do({ kind: 'customer', user: '1', home: 'S1', name: 'Ann' });
  await world.do({ kind: 'summary', user: '1' });
  await world.settle();
  await world.do({ kind: 'customer', user: '1', home: 'S2', name: 'Ann' });
  head.records.unindexed.clear();
  let edits = 0;
  const records = {
    getMany: (collection: string, keys: readonly string[]) => head.records.getMany(collection, keys),
    listOwned: (owner: string) => head.records.listOwned(owner),
    writeMany: async (writes: readonly RecordWrite[]) => {
      if (writes.some(({ record }) => record.collection === 'loyalty_summary') && (edits += 1) === 1)
        await head.write('loyalty_summary', [{ user_id: '1', program_id: 'P', points: '77' }]);
      return head.records.writeMany(writes);
    },
  };
  await rescope({ ...world.deps, records }, [{ kind: 'again', id: 'customer/1' }]);
  expect(edits).toBe(2);
  expect(head.records.records.get('loyalty_summary/1/P')).toMatchObject({ scopes: ['store:S2'], fields: { points: '77' } });
});

test('a customer leaves a store two years after the last bill there, and the lines of that bill too', async () => {
  const world = new World();
  await world.do({ kind: 'customer', user: '1', home: 'S1', name: 'Ann' });
  await world.do({ kind: 'bill', bill: 'a', user: '1', store: 'S2', daysAgo: 700 });
  await world.do({ kind: 'line', bill: 'a' });
  await world.settle();
  const held = async () => [...(await world.head.foldOf('Customer@store:S2', Number.MAX_SAFE_INTEGER)).keys()];
  expect(await held()).toEqual(['bill/T/a', 'bill_line/T/a/1', 'customer/1']);
  await world.do({ kind: 'leap', days: 20 });
  await world.settle();
  expect(await held()).toHaveLength(3);
  await world.do({ kind: 'leap', days: 20 });
  await world.settle();
  expect(await held()).toEqual([]);
  expect([...(await world.head.foldOf('Customer@store:S1', Number.MAX_SAFE_INTEGER)).keys()]).toHaveLength(3);
});
