import {
  CloudFormationClient,
  DescribeStackDriftDetectionStatusCommand,
  DescribeStackResourceDriftsCommand,
  DescribeStacksCommand,
  DetectStackDriftCommand,
  GetTemplateCommand,
  type Stack,
  UpdateTerminationProtectionCommand,
  paginateListStackResources,
} from '@aws-sdk/client-cloudformation';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { setTimeout as sleep } from 'node:timers/promises';
import { SyncError } from '../../protocol/sync-error.ts';
import { typedError } from '../aws-errors.ts';
import { type Template, templateSchema } from './template-changes.ts';

/**
 * One region of the AWS account that somebody's credentials are of: what is looked at before and after the CDK does its work. Errors
 * are typed here.
 */
export interface StackState {
  readonly status: string;
  readonly outputs: Readonly<Record<string, string>>;
  /** Against being deleted. */
  readonly protected: boolean;
}

/** What is not as the template says. */
export interface Drifted {
  readonly id: string;
  readonly type: string;
  readonly physicalId: string;
  readonly status: string;
  readonly differences: readonly { readonly path: string; readonly expected: string; readonly actual: string }[];
}

const DRIFT_POLL_MS = 2_000;
const BOOTSTRAP_VERSION = '/cdk-bootstrap/hnb659fds/version';

export class AwsRegion {
  readonly #sts: STSClient;
  readonly #ssm: SSMClient;
  readonly #stacks: CloudFormationClient;

  constructor({ region, profile }: { readonly region: string; readonly profile: string | undefined }) {
    const options = { region, ...(profile === undefined ? {} : { profile }) };
    this.#sts = new STSClient(options);
    this.#ssm = new SSMClient(options);
    this.#stacks = new CloudFormationClient(options);
  }

  async identity(): Promise<{ account: string; arn: string }> {
    const { Account: account = '', Arn: arn = '' } = await asked(this.#sts.send(new GetCallerIdentityCommand({})));
    return { account, arn };
  }

  /** null: `cdk bootstrap` was never run. */
  async bootstrapVersion(): Promise<number | null> {
    const answer = await orNull(this.#ssm.send(new GetParameterCommand({ Name: BOOTSTRAP_VERSION })), 'ParameterNotFound');
    return answer === null ? null : Number(answer.Parameter?.Value);
  }

  async stack(name: string): Promise<StackState | null> {
    const stack = await this.#describe(name);
    if (stack === null || stack.StackStatus === 'REVIEW_IN_PROGRESS') return null;
    const outputs = (stack.Outputs ?? []).map(({ OutputKey: key = '', OutputValue: value = '' }) => [key, value] as const);
    return { status: stack.StackStatus ?? '', outputs: Object.fromEntries(outputs), protected: stack.EnableTerminationProtection === true };
  }

  async template(name: string): Promise<Template> {
    const { TemplateBody: body = '' } = await asked(
      this.#stacks.send(new GetTemplateCommand({ StackName: name, TemplateStage: 'Original' })),
    );
    return templateSchema.parse(JSON.parse(body));
  }

  async protect(name: string, on: boolean): Promise<void> {
    await asked(this.#stacks.send(new UpdateTerminationProtectionCommand({ StackName: name, EnableTerminationProtection: on })));
  }

  /** Names in AWS, by logical id. */
  async physicalIds(name: string): Promise<Map<string, string>> {
    const found = new Map<string, string>();
    const pages = paginateListStackResources({ client: this.#stacks }, { StackName: name });
    const all = async () => {
      for await (const { StackResourceSummaries: resources = [] } of pages)
        for (const { LogicalResourceId: id = '', PhysicalResourceId: physicalId = '' } of resources) found.set(id, physicalId);
    };
    await asked(all());
    return found;
  }

  /** Has CloudFormation look at every resource it can, which takes minutes. */
  async drift(name: string, onWait: () => void): Promise<Drifted[]> {
    const { StackDriftDetectionId } = await asked(this.#stacks.send(new DetectStackDriftCommand({ StackName: name })));
    for (;;) {
      const answer = await asked(this.#stacks.send(new DescribeStackDriftDetectionStatusCommand({ StackDriftDetectionId })));
      if (answer.DetectionStatus === 'DETECTION_FAILED')
        throw new SyncError('NOT_READY', `AWS could not look at all of ${name}: ${answer.DetectionStatusReason ?? 'it does not say why'}`);
      if (answer.DetectionStatus !== 'DETECTION_IN_PROGRESS') return this.#drifted(name);
      onWait();
      await sleep(DRIFT_POLL_MS);
    }
  }

  async #drifted(name: string): Promise<Drifted[]> {
    const drifted: Drifted[] = [];
    let next: string | undefined;
    do {
      const request = { StackName: name, StackResourceDriftStatusFilters: ['MODIFIED' as const, 'DELETED' as const] };
      const command = new DescribeStackResourceDriftsCommand({ ...request, ...(next === undefined ? {} : { NextToken: next }) });
      const { StackResourceDrifts: page = [], NextToken } = await asked(this.#stacks.send(command));
      for (const one of page) {
        drifted.push({
          id: one.LogicalResourceId ?? '',
          type: one.ResourceType ?? '',
          physicalId: one.PhysicalResourceId ?? '',
          status: one.StackResourceDriftStatus ?? '',
          differences: (one.PropertyDifferences ?? []).map(
            ({ PropertyPath: path = '', ExpectedValue: expected = '', ActualValue: actual = '' }) => ({ path, expected, actual }),
          ),
        });
      }
      next = NextToken;
    } while (next !== undefined);
    return drifted;
  }

  async #describe(name: string): Promise<Stack | null> {
    const answer = await orNull(this.#stacks.send(new DescribeStacksCommand({ StackName: name })), 'ValidationError');
    return answer?.Stacks?.[0] ?? null;
  }
}

async function asked<T>(answer: Promise<T>): Promise<T> {
  return answer.catch((error: unknown) => {
    throw typedError(error, 'AWS');
  });
}

/** null: AWS says by this error that it is not there. */
async function orNull<T>(answer: Promise<T>, absent: string): Promise<T | null> {
  return asked(answer.catch((error: unknown) => ((error as Error).name === absent ? null : Promise.reject(error as Error))));
}
