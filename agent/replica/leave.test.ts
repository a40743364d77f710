import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openLive } from './replica-file.ts';
import { Replica } from './replica.ts';

let folder: string;
let replica: Replica;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'leave-'));
  replica = new Replica(openLive(join(folder, 'replica.sqlite')));
  replica.setMeta('plan', JSON.stringify({ scopes: { coupon_series: 'zone', coupon: 'zone', coupon_redemption: 'zone' } }));
  replica.db.exec(`INSERT INTO coupon_series ("key", "rev", zone_code) VALUES ('a', 1, 'north')`);
});
afterEach(() => {
  replica.close();
  rmSync(folder, { recursive: true });
});

function know(zone: string, position: number | null): void {
  replica
    .prepare(
      `INSERT INTO _feed (feed, component, scope, head, head_generation, generation, position) VALUES (?, 'Voucher Series', ?, 1, 'g', ?, ?)`,
    )
    .run(`Voucher Series@zone:${zone}`, `zone:${zone}`, position === null ? null : 'g', position);
}

const left = () => ({ rows: replica.countRows('coupon_series'), feeds: replica.feeds().map(({ feed }) => feed) });

it('INV-40: what a reconcile that was cut off left of a feed goes with it', () => {
  know('north', null);
  replica.leave('Voucher Series@zone:north');
  expect(left()).toEqual({ rows: 0, feeds: [] });
});

it('INV-06: a feed that never got a cursor takes nothing of the one whose tables it would share', () => {
  know('north', 1);
  know('south', null);
  replica.leave('Voucher Series@zone:south');
  expect(left()).toEqual({ rows: 1, feeds: ['Voucher Series@zone:north'] });
  replica.leave('Voucher Series@zone:north');
  expect(left()).toEqual({ rows: 0, feeds: [] });
});
