import { describe, expect, test } from 'vitest';
import { changeObstacles, placeObstacles } from './obstacles.ts';

const organization = { name: 'acme', region: 'eu-west-1', account: '111122223333' };
const fine = { organization, account: '111122223333', bootstrapVersion: 29, stack: { status: 'UPDATE_COMPLETE' }, deployed: null };
const known = { account: '111122223333', region: 'eu-west-1' };

describe('what stands against a deployment', () => {
  test.each([
    ['the first one', { ...fine, stack: null }],
    ['one of a stack that is there', { ...fine, deployed: known }],
    ['one where no account is named and none is known', { ...fine, organization: { ...organization, account: undefined } }],
    ['one after a rollback that went well', { ...fine, stack: { status: 'UPDATE_ROLLBACK_COMPLETE' } }],
    ['the first one after one that was rolled back', { ...fine, stack: { status: 'ROLLBACK_COMPLETE' } }],
  ])('nothing: %s', (_, place) => {
    expect(placeObstacles(place)).toEqual([]);
  });

  test.each([
    ['credentials of another account', { ...fine, account: '999999999999' }, 'AWS_ACCOUNT', /111122223333.*999999999999/],
    [
      'credentials of another account than the last time, where no account is named',
      { ...fine, account: '999999999999', organization: { ...organization, account: undefined }, deployed: known },
      'AWS_ACCOUNT',
      /111122223333.*999999999999/,
    ],
    [
      'a region that was never bootstrapped',
      { ...fine, bootstrapVersion: null },
      'NOT_READY',
      /cdk bootstrap aws:\/\/111122223333\/eu-west-1/,
    ],
    ['a bootstrap of long ago', { ...fine, bootstrapVersion: 5 }, 'NOT_READY', /version 5/],
    ['a bootstrap that says nothing', { ...fine, bootstrapVersion: Number.NaN }, 'NOT_READY', /cdk bootstrap/],
    ['a deployment that is under way', { ...fine, stack: { status: 'UPDATE_IN_PROGRESS' } }, 'NOT_READY', /wait until it is over/],
    ['a rollback that failed', { ...fine, stack: { status: 'UPDATE_ROLLBACK_FAILED' } }, 'NOT_READY', /stuck/],
    ['a removal that failed', { ...fine, stack: { status: 'DELETE_FAILED' } }, 'NOT_READY', /stuck/],
    [
      'another region than the last time',
      { ...fine, deployed: { ...known, region: 'eu-north-1' } },
      'NOT_READY',
      /second, empty head office/,
    ],
  ])('%s', (_, place, code, says) => {
    expect(placeObstacles(place)).toEqual([{ code, message: expect.stringMatching(says) as string }]);
  });

  test('of another account nothing else is said: it is somebody else’s', () => {
    expect(placeObstacles({ ...fine, account: '999999999999', bootstrapVersion: null })).toMatchObject([{ code: 'AWS_ACCOUNT' }]);
  });

  test('data that would leave the stack, and nothing else that would', () => {
    const removed = (type: string) => ({ id: 'One', type, change: 'remove' as const });
    expect(changeObstacles('acme', [removed('AWS::SQS::Queue'), { ...removed('AWS::S3::Bucket'), change: 'add' }])).toEqual([]);
    expect(changeObstacles('acme', [removed('AWS::S3::Bucket')])).toMatchObject([{ code: 'NOT_READY' }]);
  });

  test('empty tables in place of restored ones, and not the tables of the first time', () => {
    const added = (id: string) => ({ id, type: 'AWS::DynamoDB::GlobalTable', change: 'add' as const });
    expect(changeObstacles('acme', ['Records', 'Audit'].map(added))).toEqual([]);
    expect(changeObstacles('acme', [added('Records')])).toMatchObject([
      { code: 'NOT_READY', message: expect.stringContaining('empty tables') as string },
    ]);
  });
});
