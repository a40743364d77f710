/**
 * What a request of S3 needs, by path: `/<bucket>/<key>`. A signed address counts as a call of the function that signed it, as
 * its host and path name that function. Of a request that deletes many objects all are refused if one is.
 */
import type { Need, Needs } from './statement.ts';

interface S3Request {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly body: Buffer;
  /** Copying reads another object. */
  readonly copies: boolean;
}

/** Parameters that say nothing about which call it is; those of a signature begin as `SIGNED`. */
const PLAIN = new Set(['x-id', 'response-content-type']);
const SIGNED = 'X-Amz-';
const LISTING = new Set(['list-type', 'prefix', 'continuation-token', 'max-keys', 'start-after', 'delimiter', 'encoding-type', 'x-id']);

export function s3Needs({ method, path, body, copies }: S3Request): Needs {
  const { bucket, key, parameters } = parse(path);
  const only = (known: ReadonlySet<string>) => parameters.every((name) => known.has(name) || name.startsWith(SIGNED));
  if (bucket === '' || copies) return null;
  if (key === '') {
    if (method === 'GET' && parameters.includes('list-type') && only(LISTING)) return [listing(bucket)];
    if (method === 'HEAD' && only(PLAIN)) return [listing(bucket)];
    const deletes = method === 'POST' && parameters.includes('delete') && only(new Set([...PLAIN, 'delete']));
    return deletes ? deletedKeys(body).map((one) => ({ action: 's3:DeleteObject', resource: `${bucket}/${one}` })) : null;
  }
  const action = ACTIONS[method];
  return action !== undefined && only(PLAIN) ? [{ action, resource: `${bucket}/${key}` }] : null;
}

/** What it takes to be told that an object is not there, and not only that it cannot be had. */
export function missingNeed(path: string): Need {
  return listing(parse(path).bucket);
}

const ACTIONS: Readonly<Record<string, string>> = {
  GET: 's3:GetObject',
  HEAD: 's3:GetObject',
  PUT: 's3:PutObject',
  DELETE: 's3:DeleteObject',
};

function listing(bucket: string): Need {
  return { action: 's3:ListBucket', resource: bucket };
}

function parse(path: string): { bucket: string; key: string; parameters: string[] } {
  const [place = '', query = ''] = path.split('?', 2);
  const [, bucket = '', key = ''] = /^\/+([^/]*)\/?(.*)$/.exec(place) ?? [];
  return { bucket, key: decodeURIComponent(key), parameters: [...new URLSearchParams(query).keys()] };
}

const ENTITIES: Readonly<Record<string, string>> = { '&lt;': '<', '&gt;': '>', '&quot;': '"', '&apos;': "'", '&amp;': '&' };

function deletedKeys(body: Buffer): string[] {
  const keys = body.toString('utf8').matchAll(/<Key>([^<]*)<\/Key>/g);
  return [...keys].map(([, key = '']) => key.replace(/&(?:lt|gt|quot|apos|amp);/g, (entity) => ENTITIES[entity] ?? entity));
}
