import { expect, test } from 'vitest';
import { wire } from './wiring.ts';

const place = { stackName: 's', region: 'eu-west-2', apiOrigin: 'http://a', sqsOrigin: 'http://b', oidcIssuer: 'http://c' };
const wired = (more: object) =>
  wire({
    template: { Resources: { Role: { Type: 'AWS::IAM::Role', Properties: { AssumeRolePolicyDocument: {}, Tags: [], ...more } } } },
    place,
    assetFolder: () => '',
  });

test('the short name of a function is that of its output, whatever the organization is called', () => {
  const FunctionName = 'storeline-acme-uk-rotate-key';
  const { functions } = wire({
    template: {
      Resources: {
        Rotate: { Type: 'AWS::Lambda::Function', Properties: { FunctionName, Handler: 'index.handler', Code: { S3Key: 'x' } } },
      },
      Outputs: { FunctionRotateKey: { Value: { Ref: 'Rotate' } } },
    },
    place: { ...place, stackName: 'storeline-acme-uk' },
    assetFolder: () => '',
  });
  expect(functions).toMatchObject([{ name: FunctionName, shortName: 'rotate-key' }]);
});

test.each(['PermissionsBoundary', 'Policies', 'ManagedPolicyArns'])('a role with %s is not understood', (name) => {
  expect(() => wired({})).not.toThrow();
  expect(() => wired({ [name]: [] })).toThrow(name);
});
