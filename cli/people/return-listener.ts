/**
 * Where the browser comes back to with the code of a sign-in: one address of this machine's own, until it came. Who does not bring the state
 * of this sign-in is answered and not listened to, so a page somewhere can neither end it nor put another person's code in its place.
 */
import { once } from 'node:events';
import { type RequestListener, type Server, type ServerResponse, createServer } from 'node:http';
import { SIGN_IN_PORTS, returnAddress } from '../../protocol/sign-in.ts';
import { SyncError } from '../../protocol/sync-error.ts';

export interface ReturnListener {
  /** The redirect URI. */
  readonly address: string;
  /** The whole address of whoever comes back with this state, and the page that they then see. */
  readonly returned: (state: string) => Promise<Returned>;
  readonly close: () => void;
}

interface Page {
  readonly title: string;
  readonly text: string;
}

interface Returned {
  readonly url: URL;
  readonly answer: (page: Page) => void;
}

export async function listenForReturn(ports: readonly number[] = SIGN_IN_PORTS): Promise<ReturnListener> {
  let waiting: { readonly state: string; readonly resolve: (returned: Returned) => void } | null = null;
  const onRequest: RequestListener = (request, response) => {
    const url = URL.parse(request.url ?? '/', address);
    if (request.method !== 'GET' || url?.pathname !== '/' || waiting === null || url.searchParams.get('state') !== waiting.state) {
      send(response, 404, { title: 'Nothing here', text: 'This address belongs to a sign-in at the command line.' });
      return;
    }
    const { resolve } = waiting;
    waiting = null;
    resolve({ url, answer: (shown) => send(response, 200, shown) });
  };
  const { port, servers } = await listenOnFirst(ports, onRequest);
  const address = returnAddress(port);
  return {
    address,
    returned: (state) => new Promise((resolve) => (waiting = { state, resolve })),
    // What is being answered goes out; what a browser keeps open, or has opened and said nothing on, does not keep this program.
    close: () => {
      for (const server of servers) {
        server.close().closeIdleConnections();
        setTimeout(() => server.closeAllConnections(), LAST_ANSWER_MS).unref();
      }
    },
  };
}

const LAST_ANSWER_MS = 1_000;
/** What `localhost` may be for a browser: whoever else listened on one of them would be brought the code. */
const LOOPBACK = ['127.0.0.1', '::1'];
async function listenOnFirst(ports: readonly number[], onRequest: RequestListener): Promise<{ port: number; servers: readonly Server[] }> {
  for (const port of ports) {
    const servers: Server[] = [];
    try {
      for (const host of LOOPBACK) servers.push(...(await listen(port, host, onRequest)));
      return { port, servers };
    } catch (error) {
      for (const server of servers) server.close();
      // Windows keeps ports for itself, and says so with the second.
      if (!isCode(error, ['EADDRINUSE', 'EACCES'])) throw error;
    }
  }
  throw new SyncError('CONFLICT', `ports ${ports.join(', ')} of this machine are all taken; end another sign-in that waits, and try again`);
}

/** None on a machine that has no such address. */
async function listen(port: number, host: string, onRequest: RequestListener): Promise<Server[]> {
  const server = createServer(onRequest).listen(port, host);
  try {
    await once(server, 'listening');
    return [server];
  } catch (error) {
    if (isCode(error, ['EADDRNOTAVAIL', 'EAFNOSUPPORT'])) return [];
    throw error;
  }
}

function isCode(error: unknown, codes: readonly string[]): boolean {
  return codes.includes((error as NodeJS.ErrnoException).code ?? '');
}

function send(response: ServerResponse, status: number, { title, text }: Page): void {
  const headers = {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
    'referrer-policy': 'no-referrer',
    'cache-control': 'no-store',
    connection: 'close',
  };
  response.writeHead(status, headers).end(page(title, text));
}

const STYLE =
  'body{font:16px/1.5 system-ui,sans-serif;color:#1c2430;margin:12vh auto 0;max-width:26rem;padding:0 1rem}h1{font-size:1.4rem}';

/** Both are texts of ours, but for a name that a provider gave. */
function page(title: string, text: string): string {
  const [head, body] = [title, text].map((part) => part.replaceAll('&', '&amp;').replaceAll('<', '&lt;'));
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Storeline · ${head}</title><style>${STYLE}</style></head><body><h1>${head}</h1><p>${body}</p></body></html>\n`;
}
