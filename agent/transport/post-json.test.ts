import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterEach, expect, test } from 'vitest';
import { selfSigned } from '../../test/fixtures/certificate.ts';
import { postJson } from './post-json.ts';
import { createTransferCount } from './transfer-count.ts';

const YEAR_MS = 365 * 86_400_000;
const known = getCACertificates('default');
afterEach(() => setDefaultCACertificates(known));

const at = (years: number) => new Date(Date.now() + years * YEAR_MS);

test.each<[string, number, number, RegExp]>([
  ['years behind, for which the certificate is of the future', 1, 2, /set the machine's clock/],
  ['years ahead, for which the certificate is of the past', -2, -1, /set the machine's clock/],
  // Its name is not this address, which no clock mends.
  ['right', -1, 1, /cannot be reached$/],
])('a clock that is %s', async (_, from, until, message) => {
  const { key, cert } = selfSigned({ from: at(from), until: at(until) });
  const server = createServer({ key, cert }, (_request, response) => response.end('{}')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  setDefaultCACertificates([...known, cert]);
  const url = new URL(`https://127.0.0.1:${(server.address() as AddressInfo).port}/v1/plan`);
  const deps = { count: createTransferCount(), signal: new AbortController().signal };
  const asked = postJson(deps, { url, body: '{}', correlationId: 'c1' });
  await expect(asked).rejects.toMatchObject({ code: 'CONNECTIVITY', message: expect.stringMatching(message) as string });
  server.close();
});
