import { describe, expect, test } from 'vitest';
import { type Template, createResolver } from './template.ts';

const place = {
  stackName: 'storeline-demo',
  region: 'eu-west-2',
  apiOrigin: 'http://127.0.0.1:1',
  sqsOrigin: 'http://127.0.0.1:2',
  oidcIssuer: 'http://127.0.0.1:3',
};
const template: Template = {
  Resources: {
    Records: { Type: 'AWS::DynamoDB::GlobalTable' },
    FeedWriterFailures: { Type: 'AWS::SQS::Queue' },
    Snapshots: { Type: 'AWS::S3::Bucket' },
    Plan: { Type: 'AWS::Lambda::Function', Properties: { FunctionName: 'storeline-demo-plan' } },
    PlanRole: { Type: 'AWS::IAM::Role' },
    Http: { Type: 'AWS::ApiGatewayV2::Api' },
  },
};
const resolver = createResolver(template, place);

describe('references become what stands on this machine', () => {
  test.each([
    [{ Ref: 'Records' }, 'storeline-demo-records'],
    [{ 'Fn::GetAtt': ['Records', 'Arn'] }, 'arn:aws:dynamodb:eu-west-2:000000000000:table/storeline-demo-records'],
    [{ 'Fn::GetAtt': 'FeedWriterFailures.Arn' }, 'arn:aws:sqs:eu-west-2:000000000000:storeline-demo-feed-writer-failures'],
    [{ Ref: 'FeedWriterFailures' }, 'http://127.0.0.1:2/000000000000/storeline-demo-feed-writer-failures'],
    [{ Ref: 'Plan' }, 'storeline-demo-plan'],
    [{ 'Fn::Join': ['', [{ 'Fn::GetAtt': ['Snapshots', 'Arn'] }, '/chunks/*']] }, 'arn:aws:s3:::storeline-demo-snapshots/chunks/*'],
    [{ 'Fn::Sub': 'a-${AWS::AccountId}-${Snapshots.Arn}-${!Kept}' }, 'a-000000000000-arn:aws:s3:::storeline-demo-snapshots-${Kept}'],
    [{ 'Fn::Sub': ['${Name}@${AWS::Region}', { Name: { Ref: 'Plan' } }] }, 'storeline-demo-plan@eu-west-2'],
    [{ 'Fn::Select': [1, { 'Fn::Split': ['-', 'a-b-c'] }] }, 'b'],
    [{ 'Fn::GetAtt': ['PlanRole', 'Arn'] }, 'local:PlanRole'],
    [
      { a: [{ Ref: 'Plan' }, { Ref: 'AWS::NoValue' }], b: { Ref: 'AWS::NoValue' }, c: 1 },
      { a: ['storeline-demo-plan'], c: 1 },
    ],
  ])('%j', (value, expected) => {
    expect(resolver.resolve(value)).toEqual(expected);
  });
});

describe('what is not understood is refused by name', () => {
  test.each([
    [{ 'Fn::ImportValue': 'x' }, /Fn::ImportValue/],
    [{ Ref: 'Nothing' }, /Nothing/],
    [{ 'Fn::GetAtt': ['Records', 'Colour'] }, /Colour of Records/],
    [{ 'Fn::Select': [7, ['a']] }, /Fn::Select/],
  ])('%j', (value, message) => {
    expect(() => resolver.resolve(value)).toThrow(message);
  });

  test('a type of resource', () => {
    const other = { Resources: { Machine: { Type: 'AWS::EC2::Instance' } } };
    expect(() => createResolver(other, place)).toThrow(/Machine is a AWS::EC2::Instance/);
  });
});
