import { afterEach, beforeEach, expect, test } from 'vitest';
import { FakeHeadOffice } from '../../test/fixtures/fake-head-office.ts';
import { StoreAgent } from '../../test/fixtures/store-agent.ts';
import { systemIo } from '../agent-io.ts';
import { requireIdentity } from '../identity.ts';
import { Contacts } from './contacts.ts';
import { RunLog } from './run-log.ts';

let fake: FakeHeadOffice;
let agent: StoreAgent;

beforeEach(async () => {
  fake = await FakeHeadOffice.start();
  agent = await StoreAgent.enrolled(fake);
});
afterEach(async () => {
  await fake.stop();
  agent.remove();
});

test('a replica that was revoked knows that it is not for the next minute to mend, and one that is let in again forgets it', async () => {
  const io = systemIo(new AbortController().signal);
  const log = new RunLog({ path: agent.paths.runs, clock: io.clock, ids: io.ids, onChange: () => {} });
  const contacts = new Contacts(io, agent.folder, { log: () => log });
  expect([(await contacts.contact()) === null, contacts.isRefused]).toEqual([false, false]);
  const replica = fake.registry.replicas.get(requireIdentity(agent.paths.identity).replicaId);
  if (replica === undefined) throw new Error('it is enrolled');
  const revoke = () => fake.registry.replicas.set(replica.replicaId, { ...replica, status: 'REVOKED' });
  revoke();
  expect([await contacts.contact(), contacts.isRefused]).toEqual([null, true]);
  fake.registry.replicas.set(replica.replicaId, replica);
  expect([(await contacts.contact()) === null, contacts.isRefused]).toEqual([false, false]);
  revoke();
  await contacts.contact();
  // Trouble on the way says nothing of who asks.
  fake.hooks.api = (_, response) => {
    response.destroy();
    return true;
  };
  expect([await contacts.contact(), contacts.isRefused]).toEqual([null, false]);
});
