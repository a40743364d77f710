import { afterEach, beforeEach, expect, it } from 'vitest';
import { systemIo } from '../../agent/agent-io.ts';
import { RunLog } from '../../agent/runs/run-log.ts';
import { runStore } from '../../agent/runs/store-run.ts';
import type { RunPhase } from '../../protocol/runs.ts';
import { FakeHeadOffice } from '../fixtures/fake-head-office.ts';
import { StoreAgent } from '../fixtures/store-agent.ts';

let fake: FakeHeadOffice;
let agent: StoreAgent;

beforeEach(async () => {
  fake = await FakeHeadOffice.start({ rowsTarget: 100, rowsMax: 200 });
  agent = await StoreAgent.enrolled(fake);
});
afterEach(async () => {
  await fake.stop();
  agent.remove();
});

/** What a run says of Customer, in the order of first saying it. */
async function phasesOf(direction: 'UP' | 'DOWN'): Promise<RunPhase[]> {
  const seen = new Set<RunPhase>();
  const io = systemIo(new AbortController().signal);
  const log = new RunLog({
    path: agent.paths.runs,
    clock: io.clock,
    ids: io.ids,
    onChange: ({ components }) => {
      const phase = components.find((one) => one.component === 'Customer' && one.direction === direction)?.phase;
      if (phase !== null && phase !== undefined) seen.add(phase);
    },
  });
  await runStore(io, log, { data: agent.folder, style: 'json', options: { wait: true }, trigger: 'LOGON' });
  expect(log.run?.components.filter(({ phase }) => phase !== null)).toEqual([]);
  return [...seen];
}

it('says what it does: a fresh run waits, fetches, applies and verifies, a delta applies, and what was recorded goes up', async () => {
  await fake.write('customer', [{ user_id: 'c1', firstname: 'Ann' }]);
  expect(await phasesOf('DOWN')).toEqual(['SNAPSHOT', 'DOWNLOAD', 'APPLY', 'VERIFY']);
  await fake.write('customer', [{ user_id: 'c2', firstname: 'Bea' }]);
  expect(await phasesOf('DOWN')).toEqual(['APPLY']);
  await agent.run('records', 'put', 'customer', JSON.stringify({ user_id: 'n1', firstname: 'Zoe' }));
  expect(await phasesOf('UP')).toEqual(['UPLOAD']);
});
