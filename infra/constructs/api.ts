/**
 * The stores' way in: a route a function, each with its own function, on the default stage. Throttled as a whole, because
 * an HTTP API knows no callers; what one store may ask for is the functions' business.
 */
import { Validations } from 'aws-cdk-lib';
import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import { type CfnStage, HttpApi, HttpMethod, HttpStage, LogGroupLogDestination } from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { must } from '../../protocol/assert.ts';
import type { Functions } from './functions.ts';
import { type Logging, logGroupProps } from './log-group.ts';

const ROUTES = ['enrol', 'plan', 'report', 'push', 'fork', 'rotate-key', 'lookup', 'redeem', 'contact', 'console'] as const;

/** Whether stores or people ask it over HTTP. */
export function isRoute(name: string): boolean {
  return (ROUTES as readonly string[]).includes(name);
}

const REASONS = {
  enrol: 'A new replica has no key yet: it shows a one-time code in the body, and the function checks and uses it up.',
  console:
    'People show a token of the identity provider; the function checks its signature, issuer, audience, time and groups before anything else.',
} as const;

export class Api extends Construct {
  readonly url: string;
  readonly http: HttpApi;
  readonly accessLogs: LogGroup;

  constructor(scope: Construct, id: string, { functions, ...logging }: Logging & { readonly functions: Functions }) {
    super(scope, id);
    this.http = new HttpApi(this, 'Http', { createDefaultStage: false, description: 'Storeline for stores' });
    this.accessLogs = new LogGroup(this, 'AccessLogs', logGroupProps(logging));
    const stage = new HttpStage(this, 'Stage', {
      httpApi: this.http,
      stageName: '$default',
      autoDeploy: true,
      // 5,000 stores that ask once a minute are 83 requests a second; the rest is for mornings when all start at once.
      throttle: { rateLimit: 500, burstLimit: 1000 },
      accessLogSettings: { destination: new LogGroupLogDestination(this.accessLogs), format: accessLogFormat() },
    });
    // Codes and tokens are what can be guessed. 5,000 stores that enrol in one day are 0.06 a second, and people click.
    limitRoutes(stage, { enrol: { rate: 5, burst: 20 }, console: { rate: 20, burst: 50 } });
    for (const name of ROUTES) {
      const integration = new HttpLambdaIntegration(name, functions.get(name));
      const [route] = this.http.addRoutes({ path: `/v1/${name}`, methods: [HttpMethod.POST], integration });
      if (route !== undefined) {
        // A stage that limits a route must find it.
        stage.node.addDependency(route);
        Validations.of(route).acknowledge({
          id: 'AwsSolutions-APIG4',
          reason:
            REASONS[name as keyof typeof REASONS] ??
            "Every request is signed with the replica's own key over its body and time; the function verifies it before anything else.",
        });
      }
    }
    this.url = stage.url;
  }
}

type Limits = Readonly<Partial<Record<(typeof ROUTES)[number], { readonly rate: number; readonly burst: number }>>>;

/** Below that of the stage. The CDK has no word for it yet. */
function limitRoutes(stage: HttpStage, routes: Limits): void {
  const resource = must(stage.node.defaultChild, 'a stage is a resource') as CfnStage;
  resource.routeSettings = Object.fromEntries(
    Object.entries(routes).map(([name, { rate, burst }]) => [
      `POST /v1/${name}`,
      { ThrottlingRateLimit: rate, ThrottlingBurstLimit: burst },
    ]),
  );
}

/** No query, no headers, no body: nothing a store sends can end up in the log. */
function accessLogFormat(): AccessLogFormat {
  const fields = [
    'requestId',
    'requestTime',
    'httpMethod',
    'routeKey',
    'status',
    'responseLength',
    'integrationLatency',
    'integrationErrorMessage',
  ];
  const format = { ...Object.fromEntries(fields.map((field) => [field, `$context.${field}`])), ip: '$context.identity.sourceIp' };
  return AccessLogFormat.custom(JSON.stringify(format));
}
