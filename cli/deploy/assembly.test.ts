import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack, Validations } from 'aws-cdk-lib';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { CfnStateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { afterAll, expect, test } from 'vitest';
import { WorkflowChecks } from '../../infra/workflow-checks.ts';
import { readFindings } from './assembly.ts';

const outdir = mkdtempSync(join(tmpdir(), 'storeline-findings-'));
afterAll(() => rmSync(outdir, { recursive: true }));

test('what the checks of a synthesis find is read from their report, with the stack, the rule and the construct', () => {
  const app = new App({ outdir, analyticsReporting: false });
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app), new WorkflowChecks());
  const stack = new Stack(app, 'storeline-acme');
  const open = new Queue(stack, 'Open');
  const flow = new CfnStateMachine(stack, 'Flow', {
    roleArn: 'arn:aws:iam::1:role/r',
    definitionString: '{"StartAt":"Nowhere","States":{}}',
  });
  expect(() => app.synth()).toThrow(/validation-report/);
  const findings = readFindings(join(outdir, 'validation-report.json'));
  expect(findings).toContainEqual({
    stack: 'storeline-acme',
    rule: 'AwsSolutions-SQS4',
    at: `${open.node.path}/Resource`,
    message: expect.stringMatching(/SSL/) as string,
  });
  expect(findings).toContainEqual(expect.objectContaining({ stack: 'storeline-acme', rule: 'Workflow-Definition', at: flow.node.path }));
});

test('no report, no findings', () => {
  expect(readFindings(join(outdir, 'nothing.json'))).toEqual([]);
});
