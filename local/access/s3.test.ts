import { describe, expect, test } from 'vitest';
import { s3Needs } from './s3.ts';

const needs = (method: string, path: string, body = '', copies = false) =>
  s3Needs({ method, path, body: Buffer.from(body), copies })?.map(({ action, resource }) => `${action} ${resource}`) ?? null;

describe('what a request of S3 needs', () => {
  test.each([
    ['GET', '/bucket/chunks/a%20b?x-id=GetObject', ['s3:GetObject bucket/chunks/a b']],
    ['GET', '/bucket/chunks/a?X-Amz-Signature=0&X-Amz-Expires=60', ['s3:GetObject bucket/chunks/a']],
    ['HEAD', '/bucket/chunks/a', ['s3:GetObject bucket/chunks/a']],
    ['PUT', '/bucket/chunks/a?x-id=PutObject', ['s3:PutObject bucket/chunks/a']],
    ['DELETE', '/bucket/chunks/a', ['s3:DeleteObject bucket/chunks/a']],
    ['GET', '/bucket/?list-type=2&prefix=chunks%2F', ['s3:ListBucket bucket']],
    ['HEAD', '/bucket', ['s3:ListBucket bucket']],
  ])('%s %s', (method, path, expected) => expect(needs(method, path)).toEqual(expected));

  test('deleting many needs each of them', () => {
    const body = '<Delete><Object><Key>a&amp;b</Key></Object><Object><Key>c</Key></Object></Delete>';
    expect(needs('POST', '/bucket/?delete=', body)).toEqual(['s3:DeleteObject bucket/a&b', 's3:DeleteObject bucket/c']);
  });

  test.each([
    ['GET', '/bucket/a?tagging'],
    ['PUT', '/bucket/a?partNumber=1&uploadId=x'],
    ['POST', '/bucket/a?uploads'],
    ['PUT', '/bucket/a?x-amz-acl=public-read'],
    ['GET', '/bucket?policy'],
    ['GET', '/'],
    ['PUT', '/bucket'],
  ])('is not known of %s %s', (method, path) => expect(needs(method, path)).toBeNull());

  test('is not known of a copy', () => expect(needs('PUT', '/bucket/a', '', true)).toBeNull());
});
