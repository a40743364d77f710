/**
 * The alarms of a stack. Each has a stable id, which is also the end of its name, and names its runbook in `docs/operations/`.
 *
 * A function that failed is an alarm at once, because that is a bug or something missing, and some run once a day only. What comes and goes by
 * itself (throttles, rates, slow answers) gets a quarter of an hour.
 */
import { Duration, Stack } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, type IMetric, MathExpression, Metric, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { FilterPattern, type ILogGroup, type IFilterPattern, MetricFilter } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { COUNTS, COUNT_SERVICE, type CountName, metricNamespace } from '../../protocol/metrics.ts';
import type { Organization } from '../../protocol/organization.ts';
import { AlarmTopic } from './alarm-topic.ts';
import { type Api, isRoute } from './api.ts';
import { addBudget } from './budget.ts';
import type { Data } from './data.ts';
import type { FreshWorkflow } from './fresh-workflow.ts';
import { FUNCTION_NAMES, type FunctionName, type Functions } from './functions.ts';
import { LOGGED, type Logged } from './logged.ts';
import { systemErrors, throttles } from './table-metrics.ts';
import type { Turn } from './triggers.ts';

export interface Watched {
  readonly organization: Organization;
  readonly data: Data;
  readonly functions: Functions;
  readonly turns: readonly Turn[];
  readonly fresh: FreshWorkflow;
  readonly api: Api;
}

interface AlarmProps {
  readonly runbook: string;
  /** A sentence without its full stop. */
  readonly means: string;
  readonly metric: IMetric;
  /** Raised by more than this; more than nothing if it is not set. */
  readonly above?: number;
  /** Raised by less than this, and by nothing at all. */
  readonly below?: number;
  /** Periods of the metric that are looked at. */
  readonly periods?: number;
  /** Nobody is told that it is over, because silence does not say so. */
  readonly isOnce?: boolean;
  /** How many of them have to be above it; all if it is not set. */
  readonly breaching?: number;
}

const PERIOD = Duration.minutes(5);
/** A quarter of an hour. */
const LASTING = 3;
const SUM = { period: PERIOD, statistic: Stats.SUM };

/** Of the stream of main data. Its records leave it after 24 hours, and stores expect a change within minutes. */
const ITERATOR_AGE_MAX = Duration.minutes(15);
/** In percent, of at least this many that failed: one store alone at night is not a rate. */
const API_ERRORS_MAX = 5;
const API_ERRORS_LEAST = 3;
/** Above every cold start; a till gives up on a redemption soon after. */
const LATENCY_MAX = Duration.seconds(5);
/** What somebody waits for: a customer, a till that begins its day, and what it recorded. */
const WAITED_FOR = ['redeem', 'plan', 'push'] as const;
/** Refused in five minutes. Agents come again by themselves, so a few are no matter. */
const REFUSED_MAX = 100;
/** Refused as nobody's in an hour. A revoked store comes by every 45 s, 80 times; somebody who tries keys comes more often. */
const UNAUTHORIZED_MAX = 1_000;
/** In an hour. A token that ran out is a few; an admin tries what an operator may not, once. */
const CONSOLE_REFUSED_MAX = 20;
/** Turns that were missed, hours where they come more often: whose silence would be taken for peace. */
const TURNS_MISSED = 3;

function counted(organization: string, metricName: string, label: string): Metric {
  const namespace = metricNamespace(organization);
  return new Metric({ namespace, metricName, dimensionsMap: { service: COUNT_SERVICE }, label, ...SUM });
}

export class Alarms extends Construct {
  readonly topic: AlarmTopic['topic'];
  readonly all: Alarm[] = [];
  /** Of what is logged. */
  readonly logged: Readonly<Record<keyof typeof LOGGED | 'refused' | 'unauthorized', Metric>>;
  readonly counted: Readonly<Record<CountName, Metric>>;
  readonly #action: SnsAction;
  readonly #namespace: string;

  constructor(scope: Construct, id: string, watched: Watched) {
    super(scope, id);
    this.topic = new AlarmTopic(this, 'Alarms', watched.organization).topic;
    this.#action = new SnsAction(this.topic);
    this.#namespace = metricNamespace(watched.organization.name);
    this.#deadLetters(watched.data);
    this.#functions(watched.functions);
    this.#freshWorkflow(watched.fresh);
    this.#api(watched.api);
    this.#latency(watched.functions);
    this.#tables(watched.data);
    this.#clockwork(watched.turns);
    const [refused, unauthorized] = [this.#refused(watched.api), this.#unauthorized(watched.api)];
    this.logged = { ...this.#logged(watched.functions), refused, unauthorized };
    this.counted = this.#counted(watched.organization);
    addBudget(this, watched.organization, this.topic);
  }

  #deadLetters({ deadLetters }: Data): void {
    for (const [name, queue] of Object.entries(deadLetters)) {
      this.#alarm(`${name}-messages`, {
        runbook: 'dead-letters',
        means: `Work was given up after many attempts and waits in ${name}`,
        metric: queue.metricApproximateNumberOfMessagesVisible({ period: PERIOD, statistic: Stats.MAXIMUM }),
      });
    }
  }

  #functions(functions: Functions): void {
    for (const name of FUNCTION_NAMES) {
      const made = functions.get(name);
      const metric = isRoute(name) ? this.#failed(functions, name) : made.metricErrors(SUM);
      this.#alarm(`${name}-errors`, { runbook: 'function-errors', means: `The function ${name} failed`, metric });
      this.#alarm(`${name}-throttles`, {
        runbook: 'function-throttles',
        means: `The function ${name} is not let run as often as it is called`,
        metric: made.metricThrottles(SUM),
        periods: LASTING,
      });
    }
    this.#alarm('feed-writer-iterator-age', {
      runbook: 'feeds-behind',
      means: 'Changes of main data reach the feeds, and so the stores, too late',
      metric: functions.get('feed-writer').metric('IteratorAge', { period: PERIOD, statistic: Stats.MAXIMUM }),
      above: ITERATOR_AGE_MAX.toMilliseconds(),
    });
  }

  /** Whoever asks over HTTP is answered whatever happens, so a bug is no error of the function: its log says so. */
  #failed(functions: Functions, name: FunctionName): IMetric {
    const answered = this.#metricOf(
      `${name}-failed`,
      functions.logGroup(name),
      FilterPattern.stringValue('$.message', '=', 'request failed'),
    );
    return new MathExpression({
      expression: 'ended + FILL(answered, 0)',
      usingMetrics: { ended: functions.get(name).metricErrors(SUM), answered: answered.with(SUM) },
      period: PERIOD,
      label: 'Failed',
    });
  }

  #freshWorkflow({ machine }: FreshWorkflow): void {
    const means = 'A fresh sync is checked no more: its workflow failed';
    this.#alarm('fresh-sync-failed', { runbook: 'fresh-workflow', means, metric: machine.metricFailed(SUM) });
  }

  #api({ http }: Api): void {
    this.#alarm('api-errors', {
      runbook: 'api-errors',
      means: `More than ${API_ERRORS_MAX} % of what stores ask for fails at head office`,
      metric: new MathExpression({
        expression: `IF(errors >= ${API_ERRORS_LEAST}, 100 * errors / requests, 0)`,
        usingMetrics: { errors: http.metricServerError(SUM), requests: http.metricCount(SUM) },
        period: PERIOD,
        label: 'Failed, percent',
      }),
      above: API_ERRORS_MAX,
      periods: LASTING,
      breaching: 2,
    });
  }

  /** Of each by itself: most requests are contacts, which are quick, and hide what is slow. */
  #latency(functions: Functions): void {
    for (const name of WAITED_FOR)
      this.#alarm(`${name}-latency`, {
        runbook: 'latency',
        means: `One answer in twenty of ${name} takes longer than ${LATENCY_MAX.toSeconds()} s`,
        metric: functions.get(name).metricDuration({ period: PERIOD, statistic: Stats.percentile(95) }),
        above: LATENCY_MAX.toMilliseconds(),
        periods: LASTING,
      });
  }

  /** More stores at once than the API lets in. The limit of look-ups answers 429 as well, but that one comes from the function. */
  #refused({ accessLogs }: Api): Metric {
    const refused = FilterPattern.all(
      FilterPattern.stringValue('$.status', '=', '429'),
      FilterPattern.stringValue('$.integrationLatency', '=', '-'),
    );
    const metric = this.#metricOf('refused', accessLogs, refused);
    this.#alarm('api-refused', {
      runbook: 'logon-storm',
      means: 'More stores come at once than the API lets in',
      metric: metric.with(SUM),
      above: REFUSED_MAX,
      periods: LASTING,
    });
    return metric;
  }

  #unauthorized({ accessLogs }: Api): Metric {
    const metric = this.#metricOf('unauthorized', accessLogs, FilterPattern.stringValue('$.status', '=', '401'));
    this.#alarm('api-unauthorized', {
      runbook: 'api-unauthorized',
      means: 'Many requests are of nobody that head office knows',
      metric,
      above: UNAUTHORIZED_MAX,
    });
    return metric;
  }

  /** What head office counts itself; the rest of it is on the dashboard. */
  #counted({ name }: Organization): Record<CountName, Metric> {
    const metrics = Object.fromEntries(Object.entries(COUNTS).map(([id, label]) => [id, counted(name, id, label)])) as Record<
      CountName,
      Metric
    >;
    this.#alarm('console-refused', {
      runbook: 'console-refused',
      means: 'Somebody asks the console again and again for what they may not do',
      metric: metrics['console-refused'].with({ period: Duration.hours(1) }),
      above: CONSOLE_REFUSED_MAX,
    });
    this.#alarm('uploads-lost', {
      runbook: 'uploads-lost',
      means: 'What a store had sent was gone before it was applied',
      metric: metrics['uploads-lost'],
      isOnce: true,
    });
    return metrics;
  }

  /** An alarm of what is logged stays green when nothing is logged any more. Calls of the rule, because queues call the same functions. */
  #clockwork(turns: readonly Turn[]): void {
    for (const { of: name, rule, every } of turns) {
      const period = Duration.minutes(Math.max(60, every.toMinutes()));
      this.#alarm(`${name}-silent`, {
        runbook: 'silence',
        means: `What ${name} does by the clock was not begun for ${TURNS_MISSED} turns, or as many hours`,
        metric: new Metric({
          namespace: 'AWS/Events',
          metricName: 'Invocations',
          dimensionsMap: { RuleName: rule.ruleName },
          period,
          statistic: Stats.SUM,
        }),
        below: 1,
        periods: TURNS_MISSED,
      });
    }
  }

  #tables({ tables }: Data): void {
    for (const [name, { table, indexes }] of Object.entries(tables)) {
      this.#alarm(`${name}-throttles`, {
        runbook: 'table-throttles',
        means: `The table ${name} takes less than is asked of it`,
        metric: throttles(table, indexes, PERIOD),
        periods: LASTING,
      });
      this.#alarm(`${name}-system-errors`, {
        runbook: 'table-errors',
        means: `DynamoDB itself fails to answer for the table ${name}`,
        metric: systemErrors(table, PERIOD),
        periods: LASTING,
      });
    }
  }

  /** Said once an hour as long as it is so, a little earlier or later: of two hours, one has to say it. */
  #logged(functions: Functions): Record<keyof typeof LOGGED, Metric> {
    const logged: readonly (readonly [string, Logged])[] = Object.entries(LOGGED);
    const metrics = logged.map(([id, { by, pattern, runbook, means, isOnce = false }]) => {
      const metric = this.#metricOf(id, functions.logGroup(by), pattern);
      this.#alarm(id, { runbook, means, metric, periods: 2, breaching: 1, isOnce });
      return [id, metric] as const;
    });
    return Object.fromEntries(metrics) as Record<keyof typeof LOGGED, Metric>;
  }

  #metricOf(name: string, logGroup: ILogGroup, filterPattern: IFilterPattern): Metric {
    const { stackName } = Stack.of(this);
    const filter = new MetricFilter(this, `${name}-lines`, {
      logGroup,
      filterPattern,
      filterName: `${stackName}-${name}`,
      metricNamespace: this.#namespace,
      metricName: name,
    });
    return filter.metric({ period: Duration.hours(1), statistic: Stats.SUM });
  }

  #alarm(id: string, { runbook, means, metric, above = 0, below, periods = 1, breaching = periods, isOnce = false }: AlarmProps): void {
    const alarm = new Alarm(this, id, {
      alarmName: `${Stack.of(this).stackName}-${id}`,
      alarmDescription: `${means}. Runbook: docs/operations/${runbook}.md`,
      metric,
      threshold: below ?? above,
      comparisonOperator: below === undefined ? ComparisonOperator.GREATER_THAN_THRESHOLD : ComparisonOperator.LESS_THAN_THRESHOLD,
      evaluationPeriods: periods,
      datapointsToAlarm: breaching,
      // No metric is written where nothing happens.
      treatMissingData: below === undefined ? TreatMissingData.NOT_BREACHING : TreatMissingData.BREACHING,
    });
    alarm.addAlarmAction(this.#action);
    // That it is over is for people to know as well.
    if (!isOnce) alarm.addOkAction(this.#action);
    this.all.push(alarm);
  }
}
