/**
 * What the organization's stack may cost in a month. Counted by the stack's tag, which has to be switched on as a cost allocation
 * tag in the account once (`docs/operations/cost.md`): until then it counts nothing and stays silent.
 */
import { CfnBudget } from 'aws-cdk-lib/aws-budgets';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import type { Organization } from '../../protocol/organization.ts';
import { ORGANIZATION_TAG } from './tags.ts';

/** In percent of the budget: most of it is spent, or all of it will be. */
const WARNINGS = [
  { notificationType: 'ACTUAL', threshold: 80 },
  { notificationType: 'FORECASTED', threshold: 100 },
] as const;

export function addBudget(scope: Construct, { name, monthlyBudgetUsd }: Organization, topic: ITopic): void {
  if (monthlyBudgetUsd === undefined) return;
  const subscribers = [{ subscriptionType: 'SNS', address: topic.topicArn }];
  const budget = new CfnBudget(scope, 'Budget', {
    budget: {
      budgetName: `storeline-${name}`,
      budgetType: 'COST',
      timeUnit: 'MONTHLY',
      budgetLimit: { amount: monthlyBudgetUsd, unit: 'USD' },
      costFilters: { TagKeyValue: [`user:${ORGANIZATION_TAG}$${name}`] },
    },
    notificationsWithSubscribers: WARNINGS.map((warning) => ({
      notification: { ...warning, comparisonOperator: 'GREATER_THAN', thresholdType: 'PERCENTAGE' },
      subscribers,
    })),
  });
  // Budgets asks the topic whether it may write there.
  budget.node.addDependency(topic);
}
