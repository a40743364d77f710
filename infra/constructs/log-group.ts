import { RemovalPolicy } from 'aws-cdk-lib';
import type { Key } from 'aws-cdk-lib/aws-kms';
import type { LogGroupProps } from 'aws-cdk-lib/aws-logs';
import type { Organization } from '../../protocol/organization.ts';

export interface Logging {
  readonly organization: Organization;
  readonly key: Key | undefined;
}

/** As long as the organization keeps logs, and gone with the stack: what has to last is in the audit. */
export function logGroupProps({ organization, key }: Logging): LogGroupProps {
  return {
    retention: organization.logDays,
    removalPolicy: RemovalPolicy.DESTROY,
    ...(key === undefined ? {} : { encryptionKey: key }),
  };
}
