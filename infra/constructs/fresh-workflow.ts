/**
 * The workflow `fresh-sync`, one execution per fresh run: prepare, then every hour a check, until the run is complete, cancelled
 * or superseded. What is missing is for the function to decide and to ask for again; the workflow only keeps the time.
 *
 * A broken function must not end a run, so every error of a step leads to the next hour (decision 0014). The states count the
 * checks themselves for the same reason: the count grows whether a step answered or failed, and so does the history.
 */
import { ArnFormat, Duration, Stack, Validations } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import {
  Choice,
  Condition,
  DefinitionBody,
  JitterType,
  JsonPath,
  LogLevel,
  Pass,
  StateMachine,
  StateMachineType,
  Succeed,
  TaskInput,
  type TaskStateBase,
  Timeout,
  Wait,
  WaitTime,
} from 'aws-cdk-lib/aws-stepfunctions';
import { LambdaInvoke, StepFunctionsStartExecution } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import { Construct } from 'constructs';
import { type Logging, logGroupProps } from './log-group.ts';
import { limits } from '../../protocol/limits.ts';
import { type FreshOutcome, type FreshRunRequest, WAIT_AN_HOUR } from '../../protocol/messages/fresh-run.ts';

interface FreshWorkflowProps extends Logging {
  /** The function `fresh-run`. */
  readonly task: IFunction;
  readonly taskTimeout: Duration;
}

/** What Lambda itself reports, exact names: passing trouble of the service, not of our function. */
const SERVICE_ERRORS = [
  'Lambda.ClientExecutionTimeoutException',
  'Lambda.ServiceException',
  'Lambda.AWSLambdaException',
  'Lambda.SdkClientException',
  'Lambda.TooManyRequestsException',
];

/** Three attempts more within a minute and a half, each at a random moment of its time, as all stores may check at once. */
const RETRY = {
  interval: Duration.seconds(5),
  backoffRate: 3,
  maxAttempts: 3,
  maxDelay: Duration.seconds(60),
  jitterStrategy: JitterType.FULL,
};

/** Made from the name and not from the resource, so that functions, the workflow and its own definition can name it without a circle. */
export function freshWorkflowArn(scope: Construct): string {
  const resourceName = stateMachineName(scope);
  return Stack.of(scope).formatArn({ service: 'states', resource: 'stateMachine', resourceName, arnFormat: ArnFormat.COLON_RESOURCE_NAME });
}

function stateMachineName(scope: Construct): string {
  return `${Stack.of(scope).stackName}-fresh-sync`;
}

const STATE = { storeId: JsonPath.stringAt('$.storeId'), runId: JsonPath.stringAt('$.runId') };

export class FreshWorkflow extends Construct {
  readonly arn: string;
  readonly machine: StateMachine;

  constructor(scope: Construct, id: string, props: FreshWorkflowProps) {
    super(scope, id);
    const name = stateMachineName(this);
    this.arn = freshWorkflowArn(this);
    const logs = new LogGroup(this, 'Logs', {
      // Under this prefix AWS needs no entry per log group in the account's one resource policy, which is of limited size.
      logGroupName: `/aws/vendedlogs/states/${name}`,
      ...logGroupProps(props),
    });
    const role = this.#role(props.task);
    this.machine = new StateMachine(this, 'Machine', {
      stateMachineName: name,
      stateMachineType: StateMachineType.STANDARD,
      comment: 'Checks a fresh sync every hour until it is complete',
      definitionBody: DefinitionBody.fromChainable(this.#definition(props)),
      // Written above, and nothing is added to it: the grants of the CDK include every version of a function.
      role: role.withoutPolicyUpdates(),
      logs: { destination: logs, level: LogLevel.ERROR, includeExecutionData: true },
      tracingEnabled: true,
    });
    // Step Functions looks whether it may write the log when it makes the machine.
    this.machine.node.addDependency(role);
    Validations.of(this.machine).acknowledge({
      id: 'AwsSolutions-SF1',
      reason:
        'What an execution did stands in its history for 90 days; the log is for what went wrong, and an hourly check of every store is not.',
    });
  }

  #definition({ task, taskTimeout }: FreshWorkflowProps): Pass {
    const step = (name: string, stepName: FreshRunRequest['step'], resultPath: string) =>
      new LambdaInvoke(this, name, {
        lambdaFunction: task,
        // The answer itself instead of an answer with HTTP around it.
        payloadResponseOnly: true,
        payload: TaskInput.fromObject({ step: stepName, ...STATE, check: JsonPath.numberAt('$.check') }),
        resultPath,
        // Said here because without it a local execution would have a minute and one in the cloud years.
        taskTimeout: Timeout.duration(taskTimeout),
        retryOnServiceExceptions: false,
      }).addRetry({ ...RETRY, errors: SERVICE_ERRORS });

    const begin = new Pass(this, 'Begin', {
      parameters: {
        ...STATE,
        check: JsonPath.numberAt('$.check'),
        until: JsonPath.mathAdd(JsonPath.numberAt('$.check'), limits.freshChecksPerExecution),
      },
    });
    const wait = new Wait(this, WAIT_AN_HOUR, { time: WaitTime.duration(Duration.seconds(limits.freshCheckSeconds)) });
    const count = new Pass(this, 'Count the check', {
      parameters: {
        ...STATE,
        check: JsonPath.mathAdd(JsonPath.numberAt('$.check'), 1),
        until: JsonPath.numberAt('$.until'),
      },
    });
    const failed = { resultPath: '$.error' };
    const prepare = step('Prepare', 'prepare', JsonPath.DISCARD).addCatch(wait, failed);
    const check = step('Check', 'check', '$.answer').addCatch(count, failed);
    const redrive = step('Redrive', 'redrive', JsonPath.DISCARD).addCatch(count, failed);
    const ended = new Succeed(this, 'Ended');
    const outcome = new Choice(this, 'Is it complete?');
    const full = new Choice(this, 'Is the history full?');

    begin.next(prepare).next(wait).next(check).next(outcome);
    outcome
      .when(isOutcome('COMPLETE'), new Succeed(this, 'Complete'))
      .when(Condition.or(isOutcome('CANCELLED'), isOutcome('SUPERSEDED')), ended)
      .otherwise(redrive);
    redrive.next(count).next(full);
    full
      .when(Condition.numberGreaterThanEqualsJsonPath('$.check', '$.until'), this.#continuation(wait).next(new Succeed(this, 'Continued')))
      .otherwise(wait);
    return begin;
  }

  /**
   * The same machine again. Name and input depend only on the run and on where this execution had to stop, so that asking twice
   * starts one; if the next execution is even over already, the run ended there, and this one's next check will see it.
   */
  #continuation(wait: Wait): TaskStateBase {
    const self = StateMachine.fromStateMachineArn(this, 'Self', this.arn);
    return new StepFunctionsStartExecution(this, 'Continue as a new execution', {
      stateMachine: self,
      name: JsonPath.format('{}-{}', STATE.runId, JsonPath.stringAt('$.until')),
      input: TaskInput.fromObject({ ...STATE, check: JsonPath.numberAt('$.until') }),
      resultPath: JsonPath.DISCARD,
      taskTimeout: Timeout.duration(Duration.seconds(60)),
    })
      .addRetry(RETRY)
      .addCatch(wait, { resultPath: '$.error' });
  }

  #role(task: IFunction): Role {
    const role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('states.amazonaws.com') });
    role.addToPolicy(new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [task.functionArn] }));
    role.addToPolicy(new PolicyStatement({ actions: ['states:StartExecution'], resources: [this.arn] }));
    role.addToPolicy(new PolicyStatement({ actions: [...LOG_DELIVERY, ...TRACING], resources: ['*'] }));
    Validations.of(role).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason: 'Delivery of logs and trace segments is set up for an account, not for a resource; AWS takes these actions on no other.',
    });
    return role;
  }
}

const LOG_DELIVERY = [
  'logs:CreateLogDelivery',
  'logs:GetLogDelivery',
  'logs:UpdateLogDelivery',
  'logs:DeleteLogDelivery',
  'logs:ListLogDeliveries',
  'logs:PutResourcePolicy',
  'logs:DescribeResourcePolicies',
  'logs:DescribeLogGroups',
];
const TRACING = ['xray:PutTraceSegments', 'xray:PutTelemetryRecords', 'xray:GetSamplingRules', 'xray:GetSamplingTargets'];

/** Asks first whether there is one: a path that leads nowhere would end the execution, and nothing catches that. */
function isOutcome(outcome: FreshOutcome): Condition {
  return Condition.and(Condition.isPresent('$.answer.outcome'), Condition.stringEquals('$.answer.outcome', outcome));
}
