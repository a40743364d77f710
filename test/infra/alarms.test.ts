import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { FUNCTION_NAMES } from '../../infra/constructs/functions.ts';
import { LOGGED } from '../../infra/constructs/logged.ts';
import { COUNTS } from '../../protocol/metrics.ts';
import { readOrganizations } from '../../infra/organizations.ts';
import { storelineApp } from '../../infra/storeline-app.ts';

/** What people are told of, and that they find what to do: everything is derived from the template, so that nothing new is forgotten. */
interface Resource {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, unknown>>;
}

const PROJECT = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'storeline-alarms-'));
afterAll(() => rmSync(folder, { recursive: true }));
const organizations = readOrganizations(join(PROJECT, 'orgs'), []);
const assembly = storelineApp(organizations, { outdir: join(folder, 'out'), bundle: false }).synth();
const runbooks = readdirSync(join(PROJECT, 'docs/operations')).filter(
  (name) => name.endsWith('.md') && !/^README|^acknowledged/.test(name),
);

describe.each(organizations)('the alarms of $name', ({ name }) => {
  const stack = `storeline-${name}`;
  const { Resources } = assembly.getStackByName(stack).template as { Resources: Record<string, Resource> };
  const ofType = (type: string) => Object.entries(Resources).filter(([, resource]) => resource.Type === type);
  const alarms = ofType('AWS::CloudWatch::Alarm').map(([, { Properties }]) => Properties);
  const named = (id: string) => alarms.find(({ AlarmName }) => AlarmName === `${stack}-${id}`);
  const text = JSON.stringify(alarms);

  test('there is one for every queue of what was given up, every function and every table', () => {
    const targets = ofType('AWS::SQS::Queue').flatMap(([, { Properties }]) => {
      const policy = Properties['RedrivePolicy'] as { deadLetterTargetArn: { 'Fn::GetAtt': string[] } } | undefined;
      return policy === undefined ? [] : [policy.deadLetterTargetArn['Fn::GetAtt'][0] ?? ''];
    });
    expect(targets.length).toBeGreaterThan(1);
    for (const id of targets) expect(text, id).toContain(`{"Fn::GetAtt":["${id}","QueueName"]}`);
    for (const id of FUNCTION_NAMES) for (const what of ['errors', 'throttles']) expect(named(`${id}-${what}`), id).toBeDefined();
    for (const [id] of ofType('AWS::DynamoDB::GlobalTable')) expect(text, id).toContain(`"TableName","Value":{"Ref":"${id}"}`);
    expect(named('feed-writer-iterator-age')).toMatchObject({ Threshold: 15 * 60_000 });
  });

  test('what answers over HTTP and fails for everybody is an alarm of its own, though the function itself never ends with an error', () => {
    const routes = ofType('AWS::ApiGatewayV2::Route').map(([, { Properties }]) => String(Properties['RouteKey']).replace('POST /v1/', ''));
    expect(routes.length).toBeGreaterThan(5);
    for (const id of routes) {
      const log = ofType('AWS::Logs::MetricFilter').find(([, { Properties }]) => Properties['FilterName'] === `${stack}-${id}-failed`)?.[1];
      expect(log?.Properties, id).toMatchObject({ FilterPattern: '{ $.message = "request failed" }' });
      const metrics = JSON.stringify(named(`${id}-errors`)?.['Metrics']);
      expect(metrics, id).toContain(`"MetricName":"${id}-failed"`);
      expect(metrics, id).toContain('"MetricName":"Errors"');
    }
    expect(readFileSync(join(PROJECT, 'functions/http/http-function.ts'), 'utf8')).toContain("'request failed'");
  });

  test('each rule of the clock is watched by its own calls, for three of its turns and three hours at least', () => {
    const rules = ofType('AWS::Events::Rule');
    const silent = alarms.filter(({ AlarmName }) => String(AlarmName).endsWith('-silent'));
    expect(rules.length).toBeGreaterThan(5);
    expect(silent.length).toBe(rules.length);
    for (const [id, { Properties }] of rules) {
      const alarm = silent.find(
        ({ Dimensions }) => JSON.stringify(Dimensions) === JSON.stringify([{ Name: 'RuleName', Value: { Ref: id } }]),
      );
      const [, count = '', unit = ''] = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(String(Properties['ScheduleExpression'])) ?? [];
      const seconds = Number(count) * ({ minute: 60, hour: 3_600, day: 86_400 }[unit] ?? 0);
      expect(seconds, id).toBeGreaterThan(0);
      expect(alarm, id).toMatchObject({ Namespace: 'AWS/Events', MetricName: 'Invocations', TreatMissingData: 'breaching' });
      expect([alarm?.['Period'], alarm?.['EvaluationPeriods']], id).toEqual([Math.max(3_600, seconds), 3]);
    }
  });

  test('what somebody waits for is measured by itself, and not among all requests', () => {
    for (const id of ['redeem', 'plan', 'push'])
      expect(named(`${id}-latency`), id).toMatchObject({ MetricName: 'Duration', ExtendedStatistic: 'p95', Threshold: 5_000 });
  });

  test('each is told to somebody, when it begins and, unless it is said once only, when it is over, and names a runbook that is there', () => {
    for (const { AlarmActions, OKActions, AlarmDescription, AlarmName } of alarms) {
      const isOnce = ['quarantine', 'replica-forked', 'uploads-lost'].some((id) => AlarmName === `${stack}-${id}`);
      expect(
        [AlarmActions, OKActions ?? []].map((actions) => (actions as unknown[]).length),
        String(AlarmName),
      ).toEqual([1, isOnce ? 0 : 1]);
      const runbook = /docs\/operations\/([a-z-]+\.md)$/.exec(String(AlarmDescription))?.[1];
      expect(runbooks, String(AlarmName)).toContain(runbook);
    }
  });

  test('whatever head office counts is looked at somewhere', () => {
    const seen = JSON.stringify([alarms, ofType('AWS::CloudWatch::Dashboard')]);
    for (const id of Object.keys(COUNTS)) expect(seen).toContain(id);
    // As `functions/counts.ts` writes it.
    const Metric = { Namespace: `Storeline/${name}`, MetricName: 'uploads-lost', Dimensions: [{ Name: 'service', Value: 'head-office' }] };
    expect(named('uploads-lost')?.['Metrics']).toMatchObject([{ MetricStat: { Metric } }]);
  });

  test('every runbook is of an alarm, of the budget, or of what somebody decides or sees', () => {
    const descriptions = alarms.map(({ AlarmDescription }) => String(AlarmDescription)).join('\n');
    expect(
      runbooks.filter(
        (runbook) => !['cost.md', 'deploy.md', 'restore.md', 'clock.md'].includes(runbook) && !descriptions.includes(`/${runbook}`),
      ),
    ).toEqual([]);
  });
});

test.each(Object.keys(COUNTS))('%s is counted by a function', (id) => {
  const handlers = FUNCTION_NAMES.map((name) => readFileSync(join(PROJECT, 'functions', name, 'handler.ts'), 'utf8'));
  expect(handlers.join('\n')).toContain(`count('${id}', `);
});

test.each(Object.entries(LOGGED))('the words that %s waits for are said by its function', (_, { by, pattern }) => {
  const sources = readdirSync(join(PROJECT, 'functions', by)).map((file) => readFileSync(join(PROJECT, 'functions', by, file), 'utf8'));
  const words = [...pattern.logPatternString.matchAll(/\$\.message = "([^"]+)"/g)].map(([, found]) => found ?? '');
  expect(words.length).toBeGreaterThan(0);
  for (const said of words) expect(sources.join('\n')).toContain(`'${said}'`);
});

test('no function gives its lines a key that the logger has for its own', () => {
  for (const name of FUNCTION_NAMES)
    expect(readFileSync(join(PROJECT, 'functions', name, 'handler.ts'), 'utf8'), name).not.toMatch(
      /logger\.\w+\([^)]*[{,] (level|message|timestamp|service)\b/,
    );
});

test('every finding that was accepted stands in the documents with its reason', async () => {
  const lines = organizations.flatMap(({ name }) =>
    assembly
      .getStackByName(`storeline-${name}`)
      .findMetadataByType('aws:cdk:acknowledged-rules')
      .flatMap(({ path, data }) =>
        Object.entries(data as unknown as Record<string, string>).map(([rule, reason]) => ({
          part: path.replace(`/storeline-${name}/`, ''),
          rule: rule.replace('Annotation::', ''),
          reason,
        })),
      ),
  );
  const byReason = new Map<string, Map<string, Set<string>>>();
  for (const { part, rule, reason } of lines) {
    const parts = byReason.get(reason) ?? new Map<string, Set<string>>();
    parts.set(rule, (parts.get(rule) ?? new Set()).add(part));
    byReason.set(reason, parts);
  }
  const sections = [...byReason]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([reason, rules]) => {
      const named = [...rules]
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(([rule, parts]) => `- \`${rule}\`: ${[...parts].toSorted().join(', ')}`);
      return `**${reason}**\n\n${named.join('\n')}\n`;
    });
  expect(sections.length).toBeGreaterThan(5);
  const head =
    '# Findings of the rule packs that were accepted\n\nMade from the templates; a test holds it against them. Each reason, and the rules and parts that it is for.\n\n';
  await expect(`${head}${sections.join('\n')}`).toMatchFileSnapshot('../../docs/operations/acknowledged.md');
});
