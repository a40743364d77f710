/** What an operator looks at first: one page a stack, the worst on top. */
import { Duration, Stack } from 'aws-cdk-lib';
import { AlarmStatusWidget, Dashboard, GraphWidget, type IMetric, PeriodOverride, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import type { Alarms, Watched } from './alarms.ts';
import { FUNCTION_NAMES } from './functions.ts';

interface DashboardProps extends Watched {
  readonly alarms: Alarms;
}

interface GraphProps {
  readonly left: IMetric[];
  readonly right?: IMetric[];
}

const PERIOD = Duration.minutes(5);
const SUM = { period: PERIOD, statistic: Stats.SUM };
const MAX = { period: PERIOD, statistic: Stats.MAXIMUM };
/** Of a page that is 24 wide. */
const HALF = 12;

export function addDashboard(scope: Construct, props: DashboardProps): Dashboard {
  const { alarms, fresh } = props;
  const { machine } = fresh;
  return new Dashboard(scope, 'Dashboard', {
    dashboardName: Stack.of(scope).stackName,
    defaultInterval: Duration.days(1),
    // A sum over an hour is drawn as one, whatever time is looked at.
    periodOverride: PeriodOverride.INHERIT,
    widgets: [
      [new AlarmStatusWidget({ title: 'Alarms', width: 2 * HALF, height: 6, alarms: alarms.all })],
      apiGraphs(props),
      pipelineGraphs(props),
      functionGraphs(props),
      [
        graph('Fresh runs', {
          left: [machine.metricStarted(SUM), machine.metricSucceeded(SUM), machine.metricFailed(SUM)],
          right: [alarms.logged['fresh-run-late']],
        }),
        graph('Stores overdue, and what people should look at', {
          left: [alarms.logged['store-overdue'], alarms.logged['store-horizon']],
          right: [alarms.logged['replica-differs'], alarms.logged.quarantine],
        }),
      ],
      [
        graph('Operations of stores applied, and lost on their way', {
          left: [alarms.counted['operations-applied']],
          right: [alarms.counted['uploads-lost']],
        }),
        graph('Turned away: first loads, redemptions, people', {
          left: [alarms.counted['loads-deferred'], alarms.counted['redemptions-declined']],
          right: [alarms.counted['console-refused']],
        }),
      ],
      tableGraphs(props),
    ],
  });
}

function apiGraphs({ api: { http }, alarms }: DashboardProps): GraphWidget[] {
  const latency = (percentile: number) => http.metricLatency({ period: PERIOD, statistic: Stats.percentile(percentile) });
  return [
    graph('API: requests and errors', {
      left: [http.metricCount(SUM)],
      right: [http.metricServerError(SUM), http.metricClientError(SUM), alarms.logged.refused.with(SUM)],
    }),
    graph('API: latency', { left: [latency(50), latency(99)] }),
  ];
}

function pipelineGraphs({ data, functions }: DashboardProps): GraphWidget[] {
  return [
    graph('Main data to feeds: how far behind', { left: [functions.get('feed-writer').metric('IteratorAge', MAX)] }),
    graph('Queues: oldest message, and given up', {
      left: [data.compaction, data.doorbell, data.rescope].map((queue) => queue.metricApproximateAgeOfOldestMessage(MAX)),
      right: Object.values(data.deadLetters).map((queue) => queue.metricApproximateNumberOfMessagesVisible(MAX)),
    }),
  ];
}

function functionGraphs({ functions }: DashboardProps): GraphWidget[] {
  const all = FUNCTION_NAMES.map((name) => ({ name, made: functions.get(name) }));
  return [
    graph('Functions: errors', { left: all.map(({ name, made }) => made.metricErrors({ ...SUM, label: name })) }),
    graph('Functions: throttles', { left: all.map(({ name, made }) => made.metricThrottles({ ...SUM, label: name })) }),
  ];
}

function tableGraphs({ data }: DashboardProps): GraphWidget[] {
  const tables = Object.entries(data.tables);
  return [
    graph('Tables: read', { left: tables.map(([label, { table }]) => table.metricConsumedReadCapacityUnits({ ...SUM, label })) }),
    graph('Tables: written', { left: tables.map(([label, { table }]) => table.metricConsumedWriteCapacityUnits({ ...SUM, label })) }),
  ];
}

function graph(title: string, { left, right = [] }: GraphProps): GraphWidget {
  return new GraphWidget({ title, width: HALF, left, right, leftYAxis: { min: 0 }, rightYAxis: { min: 0 } });
}
