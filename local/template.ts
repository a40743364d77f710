/**
 * A synthesized CloudFormation template, read as CloudFormation would: references become names, ARNs and URLs, only
 * that these are the ones of this machine.
 *
 * What is not understood is an error and never skipped in silence, so that the local stack cannot drift from the
 * cloud unnoticed: a resource type is either run here, or stands in the list of those that have no meaning here.
 */
import { SyncError } from '../protocol/sync-error.ts';

export interface Resource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
}

export interface Template {
  readonly Resources: Readonly<Record<string, Resource>>;
  readonly Outputs?: Readonly<Record<string, { readonly Value: unknown }>>;
}

/** Where this stack's parts are reached. */
export interface Place {
  readonly stackName: string;
  readonly region: string;
  readonly apiOrigin: string;
  readonly sqsOrigin: string;
  /** Of the identity provider. */
  readonly oidcIssuer: string;
}

export const ACCOUNT = '000000000000';

/** Where logs go and what people are told of has no meaning on one machine. Roles and their policies are read, but nothing is made of them. */
const WITHOUT_MEANING = new Set([
  'AWS::IAM::Role',
  'AWS::IAM::Policy',
  'AWS::Logs::LogGroup',
  'AWS::CloudWatch::Alarm',
  'AWS::CloudWatch::Dashboard',
  'AWS::Logs::MetricFilter',
  'AWS::SNS::Topic',
  'AWS::SNS::TopicPolicy',
  'AWS::SNS::Subscription',
  'AWS::KMS::Key',
  'AWS::Budgets::Budget',
  'AWS::S3::BucketPolicy',
  'AWS::SQS::QueuePolicy',
  'AWS::Lambda::Permission',
  'AWS::Lambda::EventInvokeConfig',
  'AWS::ApiGatewayV2::Stage',
  'AWS::Cognito::ManagedLoginBranding',
  'AWS::Cognito::UserPoolDomain',
  'AWS::CDK::Metadata',
]);

type Attributes = Readonly<Record<string, string>>;
/** `Ref` and the attributes of each type that is run here. */
const REFERENCES: Readonly<Record<string, (name: string, place: Place) => Attributes>> = {
  'AWS::DynamoDB::Table': tableAttributes,
  'AWS::DynamoDB::GlobalTable': tableAttributes,
  'AWS::S3::Bucket': (name) => ({ Ref: name, Arn: `arn:aws:s3:::${name}` }),
  'AWS::SQS::Queue': (name, place) => {
    const url = `${place.sqsOrigin}/${ACCOUNT}/${name}`;
    return { Ref: url, QueueUrl: url, QueueName: name, Arn: arn('sqs', name, place) };
  },
  'AWS::Lambda::Function': (name, place) => ({ Ref: name, Arn: arn('lambda', `function:${name}`, place) }),
  'AWS::Lambda::EventSourceMapping': (name) => ({ Ref: name }),
  'AWS::StepFunctions::StateMachine': (name, place) => {
    const machine = arn('states', `stateMachine:${name}`, place);
    return { Ref: machine, Arn: machine, Name: name };
  },
  'AWS::Events::Rule': (name, place) => ({ Ref: name, Arn: arn('events', `rule/${name}`, place) }),
  'AWS::Cognito::UserPool': (name, place) => ({
    Ref: name,
    Arn: arn('cognito-idp', `userpool/${name}`, place),
    ProviderURL: place.oidcIssuer,
  }),
  'AWS::Cognito::UserPoolClient': (name) => ({ Ref: name }),
  'AWS::Cognito::UserPoolGroup': (name) => ({ Ref: name }),
  'AWS::ApiGatewayV2::Api': (name, place) => ({ Ref: name, ApiId: name, ApiEndpoint: place.apiOrigin }),
  'AWS::ApiGatewayV2::Integration': (name) => ({ Ref: name }),
  'AWS::ApiGatewayV2::Route': (name) => ({ Ref: name }),
};

/** Properties that carry a physical name, where the template gives one. */
const NAME_PROPERTIES = ['TableName', 'BucketName', 'QueueName', 'FunctionName', 'StateMachineName', 'Name'];

export interface Resolver {
  /** The value with every intrinsic function in it replaced. */
  resolve(value: unknown): unknown;
  nameOf(logicalId: string): string;
  attribute(logicalId: string, name: string): string;
}

export function createResolver(template: Template, place: Place): Resolver {
  for (const [logicalId, { Type }] of Object.entries(template.Resources)) {
    if (REFERENCES[Type] === undefined && !WITHOUT_MEANING.has(Type)) {
      throw refuse(
        `${logicalId} is a ${Type}, which the local stack cannot run. Add it to local/ or to its list of types without meaning.`,
      );
    }
  }
  const resolver: Resolver = {
    resolve: (value) => resolve(value, resolver, place),
    nameOf: (logicalId) => physicalName(template, logicalId, place),
    attribute(logicalId, name) {
      const resource = template.Resources[logicalId];
      if (resource === undefined) throw refuse(`the template refers to ${logicalId}, which it does not have`);
      const attributes = REFERENCES[resource.Type];
      if (attributes === undefined) return `local:${logicalId}`;
      const value = attributes(resolver.nameOf(logicalId), place)[name];
      if (value === undefined) throw refuse(`attribute ${name} of ${logicalId} (${resource.Type}) is not known to the local stack`);
      return value;
    },
  };
  return resolver;
}

function physicalName(template: Template, logicalId: string, place: Place): string {
  const properties = template.Resources[logicalId]?.Properties ?? {};
  if (template.Resources[logicalId]?.Type !== 'AWS::Lambda::EventSourceMapping') {
    const given = NAME_PROPERTIES.map((property) => properties[property]).find((value) => typeof value === 'string');
    if (typeof given === 'string') return given;
  }
  // CloudFormation would add a random part; a fixed name is what lets data be found again after a restart.
  return `${place.stackName}-${kebabCase(logicalId)}`;
}

function resolve(value: unknown, resolver: Resolver, place: Place): unknown {
  if (Array.isArray(value)) return value.map((item) => resolver.resolve(item)).filter((item) => item !== undefined);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  const [first] = entries;
  if (entries.length === 1 && first !== undefined && (first[0] === 'Ref' || first[0].startsWith('Fn::'))) {
    return resolveIntrinsic(first[0], first[1], { resolver, place });
  }
  const resolved = entries.map(([key, item]) => [key, resolver.resolve(item)] as const);
  return Object.fromEntries(resolved.filter(([, item]) => item !== undefined));
}

interface Context {
  readonly resolver: Resolver;
  readonly place: Place;
}

function resolveIntrinsic(name: string, argument: unknown, context: Context): unknown {
  const { resolver } = context;
  switch (name) {
    case 'Ref':
      return reference(String(argument), context);
    case 'Fn::GetAtt': {
      const [logicalId, ...path] = Array.isArray(argument) ? argument.map(String) : String(argument).split('.');
      return resolver.attribute(logicalId ?? '', path.join('.'));
    }
    case 'Fn::Join': {
      const [separator, parts] = resolver.resolve(argument) as [string, string[]];
      return parts.join(separator);
    }
    case 'Fn::Split': {
      const [separator, text] = resolver.resolve(argument) as [string, string];
      return text.split(separator);
    }
    case 'Fn::Select': {
      const [index, list] = resolver.resolve(argument) as [number | string, unknown[]];
      const selected = list[Number(index)];
      if (selected === undefined) throw refuse(`Fn::Select finds nothing at ${index}`);
      return selected;
    }
    case 'Fn::Sub':
      return substitute(argument, context);
    default:
      throw refuse(`the template uses ${name}, which the local stack does not know`);
  }
}

function substitute(argument: unknown, context: Context): string {
  const [text, variables] = (Array.isArray(argument) ? argument : [argument, {}]) as [string, Record<string, unknown>];
  return text.replace(/\$\{(!?)([^}]+)\}/g, (_, literal: string, name: string) => {
    if (literal === '!') return `\${${name}}`;
    if (name in variables) return String(context.resolver.resolve(variables[name]));
    if (!name.includes('.')) return String(reference(name, context));
    return String(resolveIntrinsic('Fn::GetAtt', name, context));
  });
}

function reference(name: string, { resolver, place }: Context): string | undefined {
  switch (name) {
    case 'AWS::Region':
      return place.region;
    case 'AWS::AccountId':
      return ACCOUNT;
    case 'AWS::Partition':
      return 'aws';
    case 'AWS::URLSuffix':
      return 'amazonaws.com';
    case 'AWS::StackName':
      return place.stackName;
    case 'AWS::NoValue':
      return undefined;
    default:
      return resolver.attribute(name, 'Ref');
  }
}

function tableAttributes(name: string, place: Place): Attributes {
  const table = arn('dynamodb', `table/${name}`, place);
  return { Ref: name, Arn: table, StreamArn: `${table}/stream/local` };
}

function arn(service: string, resource: string, place: Place): string {
  return `arn:aws:${service}:${place.region}:${ACCOUNT}:${resource}`;
}

export function kebabCase(name: string): string {
  return name.replace(/([a-z0-9])([A-Z])/g, '$1-$2').toLowerCase();
}

function refuse(message: string): SyncError {
  return new SyncError('LOCAL_STACK', message);
}
