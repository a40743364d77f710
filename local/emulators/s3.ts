/**
 * S3 on disk: `s3rver`, in this process.
 *
 * Its own way to store an object answers before the file is written, leaves half a file when the sender goes away and
 * ends the process when the disk is full. So storing is ours: beside the final place, flushed, then renamed; a failure
 * is an answer of 500 and nothing half-written can be read.
 */
import { createHash, randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import S3rver, { type S3Object, type Store } from 's3rver';
import account from 's3rver/lib/models/account.js';
import { CREDENTIALS } from './credentials.ts';

export interface S3Emulator {
  readonly endpoint: string;
  createBuckets(names: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

export async function startS3(folder: string, log: (message: string) => void): Promise<S3Emulator> {
  const directory = join(folder, 's3');
  await mkdir(directory, { recursive: true });
  account.DUMMY_ACCOUNT.createKeyPair(CREDENTIALS.accessKeyId, CREDENTIALS.secretAccessKey);
  const server = new S3rver({ address: '127.0.0.1', port: 0, silent: true, directory, vhostBuckets: false });
  server.store.putObject = async (object) => {
    try {
      return await putObject(server.store, object);
    } catch (error) {
      log(`object ${object.key} was not stored: ${(error as Error).message}`);
      throw error;
    }
  };
  const { port } = await server.run();
  return {
    endpoint: `http://127.0.0.1:${port}`,
    createBuckets: async (names) => {
      for (const name of names) await server.store.putBucket(name);
    },
    close: async () => {
      const closed = server.close();
      server.httpServer.closeAllConnections();
      await closed;
    },
  };
}

async function putObject(store: Store, object: S3Object): Promise<{ size: number; md5: string }> {
  const path = store.getResourcePath(object.bucket, object.key, 'object');
  const temporary = `${path}.${randomUUID()}`;
  await mkdir(dirname(path), { recursive: true });
  const hash = createHash('md5');
  let size = 0;
  const measure = new Transform({
    transform(chunk: Buffer, _, done) {
      hash.update(chunk);
      size += chunk.length;
      done(null, chunk);
    },
  });
  try {
    const content = Buffer.isBuffer(object.content) ? Readable.from([object.content]) : object.content;
    await pipeline(content, measure, createWriteStream(temporary, { flush: true }));
    const md5 = hash.digest('hex');
    await store.putMetadata(object.bucket, object.key, object.metadata, md5);
    await rename(temporary, path);
    return { size, md5 };
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
