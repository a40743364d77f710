import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SFNClient } from '@aws-sdk/client-sfn';
import { SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';

/** SDK clients, made once per process. Endpoints come from `AWS_ENDPOINT_URL_*` where they are set. */
export function documentClient(): DynamoDBDocumentClient {
  return DynamoDBDocumentClient.from(new DynamoDBClient({}), { marshallOptions: { removeUndefinedValues: true } });
}

export function s3Client(): S3Client {
  return new S3Client({
    // Otherwise the presigner bakes the checksum of an empty body into upload URLs and every real upload is refused.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // Emulators are reached by path, not by a host name per bucket.
    forcePathStyle: process.env['AWS_ENDPOINT_URL_S3'] !== undefined,
  });
}

export function sqsClient(): SQSClient {
  // The same host in the cloud; from an endpoint that is set, a queue's own address would lead away.
  return new SQSClient({ useQueueUrlAsEndpoint: false });
}

export function sfnClient(): SFNClient {
  return new SFNClient({});
}
