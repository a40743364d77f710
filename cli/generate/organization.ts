import { STORE_CODES, customerRecords, record } from './customers.ts';
import { DAY_MS, EPOCH_MS, type GeneratedRecord, day, instant } from './generated-record.ts';
import { Draw } from './random.ts';

/** A demo organization of any size: what does not grow with customers first, then customer by customer. */
export function* organizationRecords(seed: number, customers: number): Generator<GeneratedRecord> {
  yield* storesAndPeople(seed);
  yield* rules();
  yield* tasks(seed);
  for (let index = 0; index < customers; index += 1) yield* customerRecords(seed, index);
}

const ZONES = ['north', 'south'] as const;

function* storesAndPeople(seed: number): Generator<GeneratedRecord> {
  for (const zone of ZONES)
    yield record('store', { store_id: zone, code: zone, name: `Zone ${zone}`, entity_type: 'ZONE', is_active: true });
  for (const [index, code] of STORE_CODES.entries()) {
    const place = {
      currency_code: 'GBP',
      time_zone: 'Europe/London',
      language: 'en-GB',
      parent_zone: ZONES[index % ZONES.length],
      is_active: true,
    };
    yield record('store', {
      store_id: code,
      code,
      name: `Demo store ${index + 1}`,
      entity_type: 'STORE',
      latitude: `51.${500 + index}`,
      longitude: `-0.${100 + index}`,
      ...place,
    });
    for (let till = 1; till <= 3; till += 1)
      yield record('store', {
        store_id: `${code}-t${till}`,
        code: `${code}-t${till}`,
        name: `Till ${till}`,
        entity_type: 'TILL',
        parent_store: code,
        is_active: true,
      });
    for (let person = 1; person <= 8; person += 1) {
      const draw = new Draw(seed, 'associate', code, person);
      yield record('associate', {
        associate_id: `${code}-a${person}`,
        code: `A${index + 1}${person}`,
        associate_type: person === 1 ? 'MANAGER' : 'ASSOCIATE',
        firstname: draw.pick(['Ada', 'Ben', 'Cara', 'Dev']),
        lastname: draw.pick(['Amber', 'Birch', 'Cedar']),
        store_code: code,
        is_active: true,
      });
    }
  }
}

function* rules(): Generator<GeneratedRecord> {
  for (let number = 1; number <= 4; number += 1) {
    yield record('slab_definition', {
      program_id: 'main',
      slab_number: number,
      name: ['Bronze', 'Silver', 'Gold', 'Platinum'][number - 1],
      program_name: 'Main program',
    });
  }
  for (let series = 1; series <= 5; series += 1) {
    yield record('coupon_series', {
      series_id: `series-${series}`,
      series_code: `S${series}`,
      description: `${series * 5} percent off a bill`,
      discount_type: 'PERC',
      discount_value: String(series * 5),
      discount_on: 'BILL',
      min_bill_amount: '20',
      currency_code: 'GBP',
      valid_till: day(EPOCH_MS + 365 * DAY_MS),
      max_redeem: 1,
      sync_to_client: true,
      is_offline_redemption: series === 1,
      series_type: 'LOYALTY',
    });
  }
  for (const [name, label] of [
    ['occupation', 'Occupation'],
    ['hobby', 'Hobby'],
  ] as const) {
    yield record('custom_field_definition', {
      scope: 'LOYALTY_REGISTRATION',
      name,
      label,
      field_type: 'TEXT',
      data_type: 'STRING',
      is_updatable: true,
    });
  }
  for (const [id, status, label] of [
    ['1', 'OPEN', 'New'],
    ['2', 'IN_PROGRESS', 'Working on it'],
    ['3', 'CLOSED', 'Done'],
  ] as const) {
    yield record('task_status_mapping', { status_id: id, status, label });
  }
  for (const [id, name, body] of [
    ['welcome', 'Welcome', 'Welcome, {{first_name}}! You have {{points}} points.'],
    ['coupon', 'Coupon', 'Hello {{first_name}}, your coupon {{voucher}} is valid for 45 days.'],
  ] as const) {
    yield record('communication_template', {
      template_id: id,
      locale: 'en-GB',
      channel: 'SMS',
      name,
      body,
      placeholders: ['first_name'],
      is_active: true,
      version: 1,
    });
  }
}

function* tasks(seed: number): Generator<GeneratedRecord> {
  for (const code of STORE_CODES) {
    for (let number = 1; number <= 5; number += 1) {
      const draw = new Draw(seed, 'task', code, number);
      const taskId = `task-${number}`;
      yield record('task_metadata', {
        store_code: code,
        task_id: taskId,
        title: `Call customers, list ${number}`,
        task_type: 'TASK',
        action_type: 'CALL',
        start_at: instant(EPOCH_MS),
        end_at: instant(EPOCH_MS + 30 * DAY_MS),
        target_type: 'CUSTOMER',
      });
      for (let entry = 1; entry <= 8; entry += 1) {
        const entryId = `${taskId}-${entry}`;
        yield record('task', {
          store_code: code,
          entry_id: entryId,
          task_id: taskId,
          entry_type: 'CUSTOMER',
          associate_id: `${code}-a${entry}`,
          status: draw.pick(['OPEN', 'IN_PROGRESS', 'CLOSED']),
          updated_at: instant(EPOCH_MS),
        });
        yield record('task_log', {
          store_code: code,
          entry_id: entryId,
          log_id: 'l1',
          task_id: taskId,
          new_status: 'OPEN',
          updated_at: instant(EPOCH_MS),
        });
      }
      yield record('reminder', {
        store_code: code,
        reminder_id: `r-${number}`,
        task_id: taskId,
        remindee_id: `${code}-a1`,
        remind_at: instant(EPOCH_MS + number * DAY_MS),
        remind_zone: 'Europe/London',
        template: 'Do not forget the list',
        state: 'SCHEDULED',
      });
    }
  }
}
