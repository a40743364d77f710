import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { limits } from '../../protocol/limits.ts';
import { DynamoProofMemory } from '../aws/dynamo-proof-memory.ts';
import { DynamoStoreRegistry } from '../aws/dynamo-store-registry.ts';
import { organization, systemClock } from '../runtime.ts';
import { RequestBudgets } from './request-budgets.ts';

/** What a function that agents call needs to know who asks: one for as long as the function's instance lives. */
export function agentDoor(documents: DynamoDBDocumentClient, storesTable: string) {
  return {
    registry: new DynamoStoreRegistry(documents, storesTable),
    proofs: new DynamoProofMemory(documents, storesTable),
    budgets: new RequestBudgets(limits.agentRequests, limits.agentsRemembered),
    clock: systemClock,
    audience: organization().name,
  };
}
