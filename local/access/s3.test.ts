import { describe, expect, test } from 'vitest';
import { s3Needs } from './s3.ts';

const needs = (method: string, path: string, body = '', headers = {}) =>
  s3Needs({ method, path, headers, body: Buffer.from(body) })?.map(({ action, resource }) => `${action} ${resource}`) ?? null;

describe('what a request of S3 needs', () => {
  test.each([
    ['GET', '/bucket/chunks/a%20b?x-id=GetObject', ['s3:GetObject bucket/chunks/a b']],
    ['GET', '/bucket/chunks/a?X-Amz-Signature=0&X-Amz-Expires=60&X-Amz-Security-Token=t', ['s3:GetObject bucket/chunks/a']],
    ['HEAD', '/bucket/chunks/a', ['s3:GetObject bucket/chunks/a']],
    ['PUT', '/bucket/chunks/a?x-id=PutObject', ['s3:PutObject bucket/chunks/a']],
    ['DELETE', '/bucket/chunks/a', ['s3:DeleteObject bucket/chunks/a']],
    ['GET', '/bucket/?list-type=2&prefix=chunks%2F', ['s3:ListBucket bucket']],
    ['HEAD', '/bucket', ['s3:ListBucket bucket']],
  ])('%s %s', (method, path, expected) => expect(needs(method, path)).toEqual(expected));

  test('deleting many needs each of them', () => {
    const objects = '<Object><Key>a&amp;b</Key></Object><Object><Key>c</Key></Object><Quiet>true</Quiet>';
    const body = `<?xml version="1.0" encoding="UTF-8"?><Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${objects}</Delete>`;
    expect(needs('POST', '/bucket/?delete=', body)).toEqual(['s3:DeleteObject bucket/a&b', 's3:DeleteObject bucket/c']);
  });

  test.each([
    ['nothing', ''],
    ['an attribute', '<Key xmlns="a">c</Key>'],
    ['text that is not parsed', '<Key><![CDATA[c]]></Key>'],
    ['a letter by its number', '<Key>&#99;</Key>'],
    ['a way to another place', '<Key>a/../c</Key>'],
    ['a version', '<Key>c</Key><VersionId>1</VersionId>'],
  ])('deleting many is not understood with %s', (_, object) =>
    expect(needs('POST', '/bucket/?delete=', `<Delete><Object><Key>a</Key></Object><Object>${object}</Object></Delete>`)).toEqual([]),
  );

  test.each([
    ['GET', '/bucket/a?tagging'],
    ['PUT', '/bucket/a?partNumber=1&uploadId=x'],
    ['POST', '/bucket/a?uploads'],
    ['PUT', '/bucket/a?x-amz-acl=public-read'],
    ['PUT', '/bucket/a?X-Amz-Copy-Source=%2Fbucket%2Fb'],
    ['GET', '/bucket/a?x-id=1?&tagging'],
    ['GET', '/bucket/a?versionId=1'],
    ['GET', '/bucket/a/../b'],
    ['GET', '/bucket/a/%2e%2E/b'],
    ['GET', '/bucket/a%2F..%2Fb'],
    ['GET', '/bucket/%zz'],
    ['GET', '/bucket?policy'],
    ['GET', '/'],
    ['PUT', '/bucket'],
  ])('is not known of %s %s', (method, path) => expect(needs(method, path)).toBeNull());

  test.each(['x-amz-copy-source', 'x-amz-acl', 'x-amz-grant-read', 'x-amz-tagging', 'x-amz-object-lock-mode'])(
    'is not known with %s',
    (name) => expect(needs('PUT', '/bucket/a', '', { [name]: 'x' })).toBeNull(),
  );
  test('is the same whatever is said of bytes and sender', () =>
    expect(needs('PUT', '/bucket/a', '', { 'x-amz-checksum-sha256': 'x', 'x-amz-date': 'x' })).toEqual(['s3:PutObject bucket/a']));
});
