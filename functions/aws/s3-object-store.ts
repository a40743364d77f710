import { Readable } from 'node:stream';
import { DeleteObjectsCommand, GetObjectCommand, ListObjectsV2Command, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type { ObjectStore, StoredObject } from '../../core/ports/object-store.ts';
import type { PutAddress } from '../../protocol/messages/push.ts';
import { SyncError } from '../../protocol/sync-error.ts';
import { translated } from './aws-errors.ts';

/** DeleteObjects takes no more. */
const DELETES_AT_ONCE = 1_000;
const CHECKSUM = 'x-amz-checksum-sha256';

/** Objects of one bucket. Nothing depends on conditional puts, because keys name their content. */
export class S3ObjectStore implements ObjectStore {
  readonly #client: S3Client;
  readonly #bucket: string;

  constructor(client: S3Client, bucket: string) {
    this.#client = client;
    this.#bucket = bucket;
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    const input = { Bucket: this.#bucket, Key: key, Body: bytes, ContentType: 'application/octet-stream' };
    await translated('put an object', this.#client.send(new PutObjectCommand(input)));
  }

  async get(key: string, bytesMax = Number.POSITIVE_INFINITY): Promise<Uint8Array> {
    try {
      const answer = await translated('get an object', this.#client.send(new GetObjectCommand({ Bucket: this.#bucket, Key: key })));
      const { Body: body, ContentLength: bytes = 0 } = answer;
      if (bytes <= bytesMax) return (await body?.transformToByteArray()) ?? new Uint8Array();
      if (body instanceof Readable) body.destroy();
      throw new SyncError('INTEGRITY', `an object has ${bytes} bytes instead of at most ${bytesMax}`);
    } catch (error) {
      if (error instanceof Error && error.name === 'NoSuchKey') throw new SyncError('NOT_FOUND', `no object ${key}`, { cause: error });
      throw error;
    }
  }

  async *list(prefix: string): AsyncGenerator<StoredObject[]> {
    let token: string | undefined;
    do {
      const input = { Bucket: this.#bucket, Prefix: prefix, ...(token === undefined ? {} : { ContinuationToken: token }) };
      const answer = await translated('list objects', this.#client.send(new ListObjectsV2Command(input)));
      yield (answer.Contents ?? []).map(({ Key = '', LastModified }) => ({ key: Key, at: LastModified?.getTime() ?? 0 }));
      token = answer.NextContinuationToken;
    } while (token !== undefined);
  }

  async delete(keys: readonly string[]): Promise<void> {
    for (let start = 0; start < keys.length; start += DELETES_AT_ONCE) {
      const Objects = keys.slice(start, start + DELETES_AT_ONCE).map((Key) => ({ Key }));
      const command = new DeleteObjectsCommand({ Bucket: this.#bucket, Delete: { Objects, Quiet: true } });
      const { Errors: errors = [] } = await translated('delete objects', this.#client.send(command));
      if (errors[0] !== undefined) throw new SyncError('UNAVAILABLE', `objects were not deleted: ${errors[0].Code ?? 'unknown'}`);
    }
  }

  presignGet(key: string, seconds: number): Promise<string> {
    return getSignedUrl(this.#client, new GetObjectCommand({ Bucket: this.#bucket, Key: key }), { expiresIn: seconds });
  }

  /** Length and digest are part of what is signed, so S3 takes these bytes and no others. */
  async presignPut(
    key: string,
    { bytes, sha256, seconds }: { readonly bytes: number; readonly sha256: string; readonly seconds: number },
  ): Promise<PutAddress> {
    const checksum = Buffer.from(sha256, 'hex').toString('base64');
    const command = new PutObjectCommand({ Bucket: this.#bucket, Key: key, ContentLength: bytes, ChecksumSHA256: checksum });
    const url = await getSignedUrl(this.#client, command, { expiresIn: seconds, unhoistableHeaders: new Set([CHECKSUM]) });
    return { url, headers: { [CHECKSUM]: checksum } };
  }
}
