/**
 * Who people are: the organization's own identity provider if it names one, otherwise a user pool of its stack, with a group per
 * role. Nobody signs up by themselves, and everybody has a second factor.
 */
import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { FeaturePlan, Mfa, OAuthScope, UserPool } from 'aws-cdk-lib/aws-cognito';
import { Construct } from 'constructs';
import { ROLES } from '../../protocol/console-roles.ts';
import type { Organization } from '../../protocol/organization.ts';

export class People extends Construct {
  /** Where its keys are published: `<issuer>/.well-known/jwks.json`. */
  readonly issuer: string;
  readonly audience: string;

  constructor(scope: Construct, id: string, { identity, retainData }: Organization) {
    super(scope, id);
    if (identity !== undefined) {
      this.issuer = identity.issuer;
      this.audience = identity.audience;
      return;
    }
    const pool = new UserPool(this, 'Pool', {
      selfSignUpEnabled: false,
      signInAliases: { email: true },
      featurePlan: FeaturePlan.PLUS,
      mfa: Mfa.REQUIRED,
      mfaSecondFactor: { sms: false, otp: true },
      passwordPolicy: { minLength: 14, requireDigits: true, requireLowercase: true, requireUppercase: true, requireSymbols: true },
      removalPolicy: retainData ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
      deletionProtection: retainData,
    });
    for (const role of ROLES) pool.addGroup(`Group-${role}`, { groupName: `storeline-${role}` });
    const client = pool.addClient('Console', {
      authFlows: { userSrp: true },
      oAuth: {
        flows: { authorizationCodeGrant: true },
        scopes: [OAuthScope.OPENID, OAuthScope.EMAIL],
        callbackUrls: ['http://localhost:8751/'],
      },
      accessTokenValidity: Duration.minutes(15),
      idTokenValidity: Duration.minutes(15),
      refreshTokenValidity: Duration.hours(12),
      enableTokenRevocation: true,
      preventUserExistenceErrors: true,
    });
    this.issuer = pool.userPoolProviderUrl;
    this.audience = client.userPoolClientId;
  }
}
