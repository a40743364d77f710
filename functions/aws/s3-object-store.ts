import { GetObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type { ObjectStore } from '../../core/ports/object-store.ts';
import { SyncError } from '../../protocol/sync-error.ts';
import { translated } from './aws-errors.ts';

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

  async get(key: string): Promise<Uint8Array> {
    try {
      const answer = await translated('get an object', this.#client.send(new GetObjectCommand({ Bucket: this.#bucket, Key: key })));
      return (await answer.Body?.transformToByteArray()) ?? new Uint8Array();
    } catch (error) {
      if (error instanceof Error && error.name === 'NoSuchKey') throw new SyncError('NOT_FOUND', `no object ${key}`, { cause: error });
      throw error;
    }
  }

  presignGet(key: string, seconds: number): Promise<string> {
    return getSignedUrl(this.#client, new GetObjectCommand({ Bucket: this.#bucket, Key: key }), { expiresIn: seconds });
  }
}
