import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { type ServerType, serve } from '@hono/node-server';
import { SyncError } from '../../protocol/sync-error.ts';
import { writeDurably } from '../durable-file.ts';
import { type LocalApiDeps, createLocalApi } from './local-api.ts';

/**
 * Serves the local API on the loopback address. Where and with which token stands in a file that only the agent's user
 * may read; the token is a new one at every start.
 */
export interface LocalServer {
  readonly port: number;
  close(): Promise<void>;
}

export async function serveLocalApi(
  deps: Omit<LocalApiDeps, 'token' | 'hosts'>,
  { file, port }: { readonly file: string; readonly port: number },
): Promise<LocalServer> {
  const token = randomBytes(32).toString('base64url');
  const at = { port };
  const app = createLocalApi({ ...deps, token, hosts: () => [`127.0.0.1:${at.port}`, `localhost:${at.port}`] });
  const server = await listening(serve({ fetch: app.fetch, hostname: '127.0.0.1', port }), port);
  at.port = (server.address() as AddressInfo).port;
  writeDurably(file, `${JSON.stringify({ url: `http://127.0.0.1:${at.port}`, token })}\n`);
  return {
    port: at.port,
    close: async () => {
      rmSync(file, { force: true });
      await new Promise((resolve) => {
        server.close(resolve);
        if ('closeAllConnections' in server) server.closeAllConnections();
      });
    },
  };
}

function listening(server: ServerType, port: number): Promise<ServerType> {
  return new Promise((resolve, reject) => {
    server.once('listening', () => resolve(server));
    server.once('error', (error: NodeJS.ErrnoException) => {
      const taken = error.code === 'EADDRINUSE';
      reject(taken ? new SyncError('INVALID_INPUT', `--port ${port} is taken by another program; give another one`) : error);
    });
  });
}
