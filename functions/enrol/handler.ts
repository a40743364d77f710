import { Logger } from '@aws-lambda-powertools/logger';
import { enrolRequestSchema } from '../../protocol/messages/enrol.ts';
import { documentClient } from '../aws/clients.ts';
import { DynamoStoreRegistry } from '../aws/dynamo-store-registry.ts';
import { DynamoWrongCodes } from '../aws/dynamo-wrong-codes.ts';
import { httpFunction } from '../http/http-function.ts';
import { environment, organization, systemClock, systemIds } from '../runtime.ts';
import { enrol } from './enrol.ts';

const logger = new Logger({ serviceName: 'enrol' });
const { STORES_TABLE: stores } = environment('STORES_TABLE');
const documents = documentClient();
const registry = new DynamoStoreRegistry(documents, stores);
const wrongCodes = new DynamoWrongCodes(documents, stores);
const deps = { registry, wrongCodes, clock: systemClock, ids: systemIds, organization: organization().name };

export const handler = httpFunction({ logger, clock: systemClock }, enrolRequestSchema, ({ body, address }) => enrol(deps, body, address));
