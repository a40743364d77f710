import { Logger } from '@aws-lambda-powertools/logger';
import { enrolRequestSchema } from '../../protocol/messages/enrol.ts';
import { documentClient } from '../aws/clients.ts';
import { DynamoStoreRegistry } from '../aws/dynamo-store-registry.ts';
import { httpFunction } from '../http/http-function.ts';
import { environment, organization, systemClock, systemIds } from '../runtime.ts';
import { enrol } from './enrol.ts';

const logger = new Logger({ serviceName: 'enrol' });
const registry = new DynamoStoreRegistry(documentClient(), environment('STORES_TABLE').STORES_TABLE);
const deps = { registry, clock: systemClock, ids: systemIds, organization: organization().name };

export const handler = httpFunction({ logger, clock: systemClock }, enrolRequestSchema, ({ body }) => enrol(deps, body));
