import { once } from 'node:events';
import { type IncomingMessage, type Server, createServer, request } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { type ReturnListener, listenForReturn } from './return-listener.ts';

const open: { close(): unknown }[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

/** Ports that were free a moment ago. */
async function freePorts(count: number): Promise<number[]> {
  const servers: Server[] = [];
  for (let made = 0; made < count; made += 1) {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    servers.push(server);
  }
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

async function listener(ports: readonly number[]): Promise<ReturnListener> {
  const made = await listenForReturn(ports);
  open.push(made);
  return made;
}

/** Of a path that `fetch` would not send as it stands. */
async function rawStatus(address: string, path: string): Promise<number | undefined> {
  const [response] = (await once(request(address, { path }).end(), 'response')) as [IncomingMessage];
  response.resume();
  return response.statusCode;
}

test('who brings the state is listened to, once; anybody else, before or after, is not', async () => {
  const [port = 0] = await freePorts(1);
  const { address, returned } = await listener([port]);
  expect(address).toBe(`http://localhost:${port}/`);
  const statuses = async (...paths: string[]) => Promise.all(paths.map(async (path) => (await fetch(new URL(path, address))).status));
  expect(await statuses('/?state=s1&code=early')).toEqual([404]);
  const coming = returned('s1');
  expect(await statuses('/?state=s2&code=theirs', '/?code=none', '/other?state=s1&code=x', '/favicon.ico')).toEqual([404, 404, 404, 404]);
  // No address at all, by the standard.
  expect(await rawStatus(address, '//')).toBe(404);
  expect((await fetch(new URL('/?state=s1&code=posted', address), { method: 'POST' })).status).toBe(404);
  const answered = fetch(new URL('/?state=s1&code=right', address));
  const { url, answer } = await coming;
  expect(url.searchParams.get('code')).toBe('right');
  expect(await statuses('/?state=s1&code=again')).toEqual([404]);
  answer({ title: 'Yes', text: 'hello <b>ann</b> & co' });
  const page = await answered;
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
  expect(page.headers.get('referrer-policy')).toBe('no-referrer');
  expect(await page.text()).toContain('hello &lt;b>ann&lt;/b> &amp; co');
});

test('who has connected and says nothing does not hold it open', async () => {
  const [port = 0] = await freePorts(1);
  const { close } = await listenForReturn([port]);
  const silent = connect(port, '127.0.0.1');
  await once(silent, 'connect');
  close();
  await once(silent.resume(), 'close');
});

test('a port that somebody has on either address of this machine is taken', async () => {
  const ports = await freePorts(2);
  const theirs = createServer().listen(ports[0], '::1');
  open.push(theirs);
  await once(theirs, 'listening');
  expect((await listener(ports)).address).toBe(`http://localhost:${ports[1]}/`);
});

test('the first port that is free; when none is, it says which', async () => {
  const ports = await freePorts(2);
  const [first, second] = [await listener(ports), await listener(ports)];
  expect([first.address, second.address]).toEqual(ports.map((port) => `http://localhost:${port}/`));
  await expect(listenForReturn(ports)).rejects.toMatchObject({
    code: 'CONFLICT',
    message: expect.stringContaining(ports.join(', ')) as string,
  });
});
