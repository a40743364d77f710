import { MetricUnit, Metrics } from '@aws-lambda-powertools/metrics';
import { COUNT_SERVICE, type CountName, metricNamespace } from '../protocol/metrics.ts';

/** Written at once and not with others at the end: what a function had counted is not lost with it. */
export function createCounts(organization: string): (name: CountName, count: number) => void {
  const metrics = new Metrics({ namespace: metricNamespace(organization), serviceName: COUNT_SERVICE });
  return (name, count) => {
    if (count > 0) metrics.singleMetric().addMetric(name, MetricUnit.Count, count);
  };
}
