import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Faults } from './world/faults.ts';
import { HeadOffice } from './world/head-office.ts';

const FEED = 'Customer@org';

/** A writer that does not know our rules forgets to raise `rev`: every store would keep what it had, for ever. */
test('INV-07: a change whose writer left the revision as it was, or put it back, reaches the feed all the same', async () => {
  const edit = fc.record({
    key: fc.integer({ min: 1, max: 4 }),
    text: fc.stringMatching(/^[a-z]{1,2}$/),
    rev: fc.constantFrom('raised', 'same', 'back'),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 12 }), async (edits) => {
      const office = new HeadOffice(Faults.none(), { rowsTarget: 8, rowsMax: 16 });
      let delivered = 0;
      for (const { key, text, rev } of edits) {
        office.now += 1_000;
        const id = String(key);
        const current = office.records.records.get(`customer/${id}`);
        if (rev === 'raised' || current === undefined) await office.write('customer', [{ user_id: id, firstname: text }]);
        else
          office.records.writeWithoutRev({
            ...current,
            rev: rev === 'back' ? current.rev - 500 : current.rev,
            fields: { user_id: id, firstname: text },
          });
        // One writer that forgets is slower than the stream.
        while (delivered < office.records.stream.length) delivered = await office.deliver(delivered, office.records.stream.length);
      }
      const head = office.feeds.feeds.get(FEED)?.head.position ?? 0;
      const fold = await office.foldOf(FEED, head);
      const expected = [...office.records.records.values()].map(({ key, rev, fields }) => [`customer/${key}`, [rev, fields['firstname']]]);
      const found = [...fold].map(([key, row]) => {
        const [rev, values] = JSON.parse(row) as [number, { firstname: string }];
        return [key, [rev, values.firstname]];
      });
      expect(new Map(found as [])).toEqual(new Map(expected as []));
    }),
    { numRuns: 60 },
  );
});
