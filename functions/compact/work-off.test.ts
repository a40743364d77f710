import { expect, test } from 'vitest';
import { workOff } from './work-off.ts';

test('what two stores wait for is made once; a slow feed has the others asked for again, and one that fails takes none with it', async () => {
  const time = { now: 0 };
  const [done, rung, failed]: [string[], string[], unknown[]] = [[], [], []];
  const again = await workOff(
    {
      clock: { now: () => time.now },
      until: 90,
      askAgain: (body) => Promise.resolve(void rung.push(body)),
      failed: (error) => failed.push(error),
      run: (body) => {
        time.now += body === 'slow' ? 100 : 1;
        done.push(body);
        return body === 'bad' ? Promise.reject(new TypeError('x')) : Promise.resolve();
      },
    },
    ['tasks', 'bad', 'tasks', 'bad', 'slow', 'late'].map((body, messageId) => ({ messageId: String(messageId), body })),
  );
  expect(done).toEqual(['tasks', 'bad', 'slow']);
  expect(rung).toEqual(['late']);
  expect([again, failed.length]).toEqual([['1', '3'], 1]);
});
