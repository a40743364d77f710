/**
 * Where the alarms of a stack go: one topic, and the e-mail address of the organization if it names one.
 *
 * The key is the stack's own. CloudWatch may not use the one that AWS keeps for SNS, and an alarm that could not be sent says so
 * only in its own history.
 */
import { ArnFormat, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import type { Organization } from '../../protocol/organization.ts';

export class AlarmTopic extends Construct {
  readonly topic: Topic;

  constructor(scope: Construct, id: string, { displayName, alarmEmail }: Organization) {
    super(scope, id);
    const key = new Key(this, 'Key', {
      description: `Alarms of ${Stack.of(this).stackName}`,
      enableKeyRotation: true,
      // Nothing is kept under it: a message is sent and gone.
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.topic = new Topic(this, 'Topic', { displayName: `Storeline ${displayName}`, masterKey: key, enforceSSL: true });
    const senders = [
      ['cloudwatch.amazonaws.com', 'cloudwatch', `alarm:${Stack.of(this).stackName}-*`],
      ['budgets.amazonaws.com', 'budgets', '*'],
    ] as const;
    for (const [service, arnService, resource] of senders) {
      const principals = [new ServicePrincipal(service)];
      // No condition on the key, as it opens nothing but this topic, and who may write to that is said by the topic.
      key.addToResourcePolicy(new PolicyStatement({ principals, actions: ['kms:Decrypt', 'kms:GenerateDataKey*'], resources: ['*'] }));
      this.topic.addToResourcePolicy(
        new PolicyStatement({
          principals,
          actions: ['sns:Publish'],
          resources: [this.topic.topicArn],
          conditions: {
            StringEquals: { 'aws:SourceAccount': Stack.of(this).account },
            ArnLike: { 'aws:SourceArn': this.#sender(arnService, resource) },
          },
        }),
      );
    }
    if (alarmEmail !== undefined) this.topic.addSubscription(new EmailSubscription(alarmEmail));
  }

  /** Budgets belong to the account and to no region. */
  #sender(service: 'cloudwatch' | 'budgets', resource: string): string {
    const region = service === 'budgets' ? { region: '' } : {};
    return Stack.of(this).formatArn({ service, resource, arnFormat: ArnFormat.NO_RESOURCE_NAME, ...region });
  }
}
