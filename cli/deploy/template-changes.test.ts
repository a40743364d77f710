import { expect, test } from 'vitest';
import { NOTHING, dataRemoved, keptResources, templateChanges, templateSchema } from './template-changes.ts';

const table = { Type: 'AWS::DynamoDB::GlobalTable', DeletionPolicy: 'Retain' };
const queue = { Type: 'AWS::SQS::Queue', Properties: { Delay: 1 } };
const before = templateSchema.parse({ Resources: { Records: table, Doorbell: queue, Same: queue } });

test('each resource that differs is named once, and what is the same is not', () => {
  const after = templateSchema.parse({ Resources: { Doorbell: { ...queue, Properties: { Delay: 2 } }, Same: queue, New: queue } });
  const changes = templateChanges(before, after);
  expect(changes).toEqual([
    { id: 'Doorbell', type: 'AWS::SQS::Queue', change: 'change' },
    { id: 'New', type: 'AWS::SQS::Queue', change: 'add' },
    { id: 'Records', type: 'AWS::DynamoDB::GlobalTable', change: 'remove' },
  ]);
  expect(dataRemoved(changes).map(({ id }) => id)).toEqual(['Records']);
});

test('another order of properties is no change, and everything is new where nothing is', () => {
  const turned = templateSchema.parse({
    Resources: { Same: queue, Doorbell: { Properties: { Delay: 1 }, Type: queue.Type }, Records: table },
  });
  expect(templateChanges(before, turned)).toEqual([]);
  expect(templateChanges(NOTHING, before).map(({ change }) => change)).toEqual(['add', 'add', 'add']);
});

test('what is retained is what stays when the stack goes', () => {
  expect(keptResources(before)).toEqual([{ id: 'Records', type: 'AWS::DynamoDB::GlobalTable' }]);
});
