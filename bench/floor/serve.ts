import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';

/** Files of a folder over HTTP, as plainly as can be. `node serve.ts <folder>`; prints its port. */
const folder = process.argv[2] ?? '';
const server = createServer((request, response) => {
  try {
    const bytes = readFileSync(join(folder, request.url ?? ''));
    response.writeHead(200, { 'content-length': bytes.length });
    response.end(bytes);
  } catch {
    response.writeHead(404);
    response.end();
  }
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.stdout.write(`${typeof address === 'object' && address !== null ? address.port : 0}\n`);
});
