/**
 * What a request of S3 needs, by path: `/<bucket>/<key>`. A signed address counts as a call of the function that signed it, as
 * its path names that function. Of a request that deletes many objects all are refused if one is.
 *
 * Only requests as the SDK writes them are understood: one more parameter or header could make another call of it, as a source
 * makes a copy of a put, an access list another permission.
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { Need, Needs } from './statement.ts';

interface S3Request {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** S3 takes these as headers or as parameters; of a signature, of what is sent, and of who sends. */
const SAID_PREFIX = 'x-amz-';
const SAID = new Set(
  [
    ['algorithm', 'credential', 'date', 'expires', 'security-token', 'signature', 'signedheaders'],
    ['content-sha256', 'checksum-crc32', 'checksum-sha256', 'sdk-checksum-algorithm'],
    ['user-agent'],
  ]
    .flat()
    .map((name) => `${SAID_PREFIX}${name}`),
);
/** Says only which call it is. */
const CALL = 'x-id';
const LISTING = ['list-type', 'prefix', 'continuation-token', 'max-keys', 'start-after', 'delimiter', 'encoding-type'];

const ACTIONS: Readonly<Record<string, string>> = {
  GET: 's3:GetObject',
  HEAD: 's3:GetObject',
  PUT: 's3:PutObject',
  DELETE: 's3:DeleteObject',
};

export function s3Needs({ method, path, headers, body }: S3Request): Needs {
  const asked = parse(path);
  if (asked === null || asked.bucket === '') return null;
  const { bucket, key, parameters } = asked;
  if (Object.keys(headers).some((name) => name.startsWith(SAID_PREFIX) && !SAID.has(name))) return null;
  const only = (...known: string[]) => parameters.every((name) => name === CALL || SAID.has(name) || known.includes(name));
  if (key !== '') {
    const action = ACTIONS[method];
    return action !== undefined && only() ? [{ action, resource: `${bucket}/${key}` }] : null;
  }
  if (method === 'GET' && parameters.includes('list-type') && only(...LISTING)) return [listing(bucket)];
  if (method === 'HEAD' && only()) return [listing(bucket)];
  const deletes = method === 'POST' && parameters.includes('delete') && only('delete');
  return deletes ? deletedKeys(body).map((one) => ({ action: 's3:DeleteObject', resource: `${bucket}/${one}` })) : null;
}

/** What it takes to be told that an object is not there, and not only that it cannot be had. */
export function missingNeeds(path: string): Needs {
  const asked = parse(path);
  return asked === null ? null : [listing(asked.bucket)];
}

function listing(bucket: string): Need {
  return { action: 's3:ListBucket', resource: bucket };
}

/** null: not to be read, or of a place that is not where it seems. Names of parameters in small letters. */
function parse(path: string): { bucket: string; key: string; parameters: string[] } | null {
  const [, place = '', query = ''] = /^\/([^?]*)\??(.*)$/.exec(path) ?? [];
  const [bucket = '', ...rest] = place.split('/');
  const key = decoded(rest.join('/'));
  if (key === null || leadsAway(key)) return null;
  return { bucket, key, parameters: [...new URLSearchParams(query).keys()].map((name) => name.toLowerCase()) };
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

function leadsAway(key: string): boolean {
  return key.split(/[/\\]/).some((part) => part === '..');
}

const ENTITIES: Readonly<Record<string, string>> = { '&lt;': '<', '&gt;': '>', '&quot;': '"', '&apos;': "'", '&amp;': '&' };
const ENTITY = /&(?:lt|gt|quot|apos|amp);/g;
const OBJECT = new RegExp(`<Object><Key>((?:[^<&]|${ENTITY.source})*)</Key></Object>`, 'g');
const DELETE = new RegExp(`^(?:<\\?xml[^<>]*\\?>)?<Delete[^<>]*>(?:${OBJECT.source})+(?:<Quiet>true</Quiet>)?</Delete>$`);

/** None when it is written otherwise. */
function deletedKeys(body: Buffer): string[] {
  const text = body.toString('utf8');
  if (!DELETE.test(text)) return [];
  const keys = [...text.matchAll(OBJECT)].map(([, key = '']) => key.replace(ENTITY, (entity) => ENTITIES[entity] ?? entity));
  return keys.some(leadsAway) ? [] : keys;
}
