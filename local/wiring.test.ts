import { expect, test } from 'vitest';
import { wire } from './wiring.ts';

const place = { stackName: 's', region: 'eu-west-2', apiOrigin: 'http://a', sqsOrigin: 'http://b', oidcIssuer: 'http://c' };
const wired = (more: object) =>
  wire({
    template: { Resources: { Role: { Type: 'AWS::IAM::Role', Properties: { AssumeRolePolicyDocument: {}, Tags: [], ...more } } } },
    place,
    assetFolder: () => '',
  });

test.each(['PermissionsBoundary', 'Policies', 'ManagedPolicyArns'])('a role with %s is not understood', (name) => {
  expect(() => wired({})).not.toThrow();
  expect(() => wired({ [name]: [] })).toThrow(name);
});
