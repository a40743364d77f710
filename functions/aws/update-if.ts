import { type DynamoDBDocumentClient, UpdateCommand, type UpdateCommandInput } from '@aws-sdk/lib-dynamodb';
import { isConditionFailed, translated } from './aws-errors.ts';

/** false: its condition did not hold, and nothing was written. */
export async function updateIf(client: DynamoDBDocumentClient, doing: string, update: UpdateCommandInput): Promise<boolean> {
  try {
    await translated(doing, client.send(new UpdateCommand(update)));
    return true;
  } catch (error) {
    if (isConditionFailed(error)) return false;
    throw error;
  }
}
