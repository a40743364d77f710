import * as z from 'zod';
import { redeemResponseSchema } from '../../protocol/messages/redeem.ts';
import {
  errorAnswer,
  outboxAnswer,
  outboxQuery,
  recordAnswer,
  recordBody,
  statusAnswer,
  type recordPath,
  writtenAnswer,
} from './schemas.ts';

/** The document of the local API, made of the schemas that it checks with. `docs/local-api.json` is this, and a test compares them. */
export function openApi(): object {
  const key = path('key', 'Key of the record; percent-encoded where it has a slash.');
  const collection = path('collection', 'Name of the collection, for example `bill`.');
  return {
    openapi: '3.1.0',
    info: {
      title: 'Storeline agent',
      version: '1',
      description: "The till's way to its store's records, on this machine only. The token stands in `local-api.json` of the data folder.",
    },
    servers: [{ url: 'http://127.0.0.1:{port}', variables: { port: { default: '8750' } } }],
    security: [{ token: [] }],
    components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } }, schemas: { Error: schemaOf(errorAnswer) } },
    paths: {
      '/v1/records/{collection}/{key}': {
        parameters: [collection, key],
        get: operation("A record as the store's user sees it", recordAnswer),
        delete: operation('Records that it is deleted; it goes up with the next sync', writtenAnswer),
      },
      '/v1/records/{collection}': {
        parameters: [collection],
        put: {
          ...operation(
            'Records a new or changed record. Durable when it answers; it goes up within seconds, or when there is a network',
            writtenAnswer,
          ),
          requestBody: { required: true, content: { 'application/json': { schema: schemaOf(recordBody) } } },
        },
      },
      '/v1/redemptions/{collection}': {
        parameters: [collection],
        post: {
          ...operation(
            'Spends points or a coupon now, by the word of head office. Without an answer ask again with the same record: it is spent once',
            redeemResponseSchema,
          ),
          requestBody: { required: true, content: { 'application/json': { schema: schemaOf(recordBody) } } },
        },
      },
      '/v1/outbox': {
        get: {
          ...operation('What was recorded here, and what became of it', outboxAnswer),
          parameters: Object.keys(outboxQuery.shape).map((name) => ({
            name,
            in: 'query',
            schema: { type: name === 'status' ? 'string' : 'integer' },
          })),
        },
      },
      '/v1/status': { get: operation('What this store has, whether it is known to be right, and what is safe now', statusAnswer) },
      '/v1/sync': { post: operation('Asks for a sync', z.object({ requested: z.literal(true) }), '202') },
    },
  };
}

function operation(summary: string, answer: z.ZodType, status = '200'): object {
  return {
    summary,
    responses: {
      [status]: { description: 'Done.', content: { 'application/json': { schema: schemaOf(answer) } } },
      default: {
        description: 'A typed error; nothing was changed.',
        content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
      },
    },
  };
}

function path(name: keyof typeof recordPath.shape, description: string): object {
  return { name, in: 'path', required: true, description, schema: { type: 'string' } };
}

function schemaOf(schema: z.ZodType): object {
  const { $schema: _, ...rest } = z.toJSONSchema(schema);
  return rest;
}
