/**
 * Who people are: the organization's own identity provider if it names one, otherwise a user pool of its stack, with a group per
 * role. Nobody signs up by themselves, and everybody has a second factor.
 */
import { Aws, Duration, Fn, RemovalPolicy } from 'aws-cdk-lib';
import { CfnManagedLoginBranding, FeaturePlan, ManagedLoginVersion, Mfa, OAuthScope, UserPool } from 'aws-cdk-lib/aws-cognito';
import { Construct } from 'constructs';
import { ROLES } from '../../protocol/role.ts';
import type { Organization } from '../../protocol/organization.ts';
import { SIGN_IN_PORTS, SIGN_IN_SCOPES, returnAddress } from '../../protocol/sign-in.ts';

export class People extends Construct {
  /** Where its keys are published: `<issuer>/.well-known/jwks.json`. */
  readonly issuer: string;
  readonly audience: string;
  /** By which people sign in with the command line; null: their provider has none for it. */
  readonly clientId: string | null;
  readonly scopes: readonly string[];

  constructor(scope: Construct, id: string, { identity, retainData }: Organization) {
    super(scope, id);
    if (identity !== undefined) {
      this.issuer = identity.issuer;
      this.audience = identity.audience;
      this.clientId = identity.clientId ?? null;
      this.scopes = identity.scopes;
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
    const page = pool.addDomain('SignIn', {
      cognitoDomain: { domainPrefix: `storeline-${stackUuid()}` },
      // The classic page signs in whoever was there before, without asking: it does not know `prompt=login`.
      managedLoginVersion: ManagedLoginVersion.NEWER_MANAGED_LOGIN,
    });
    const client = pool.addClient('Console', {
      generateSecret: false,
      authFlows: { userSrp: true },
      oAuth: {
        flows: { authorizationCodeGrant: true },
        scopes: [OAuthScope.OPENID, OAuthScope.EMAIL],
        callbackUrls: SIGN_IN_PORTS.map(returnAddress),
      },
      accessTokenValidity: Duration.minutes(15),
      idTokenValidity: Duration.minutes(15),
      refreshTokenValidity: Duration.hours(12),
      enableTokenRevocation: true,
      preventUserExistenceErrors: true,
    });
    // A client without a style has no page at all.
    const style = { userPoolId: pool.userPoolId, clientId: client.userPoolClientId, useCognitoProvidedValues: true };
    new CfnManagedLoginBranding(this, 'Style', style).node.addDependency(page);
    this.issuer = pool.userPoolProviderUrl;
    this.audience = client.userPoolClientId;
    this.clientId = client.userPoolClientId;
    this.scopes = SIGN_IN_SCOPES;
  }
}

/**
 * Of the stack's id: a page to sign in is at an address of its own among those of everybody in the region, and may not have the name of the
 * provider in it, as names of organizations may.
 */
function stackUuid(): string {
  return Fn.select(2, Fn.split('/', Aws.STACK_ID));
}
