import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { KinesisClient } from '@aws-sdk/client-kinesis';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { S3Client } from '@aws-sdk/client-s3';
import { NodeHttpHandler } from '@smithy/node-http-handler';

/** Clients of the local cloud; they read the endpoint and fake credentials from the environment. */
export interface LocalClients {
  readonly cloudFormation: CloudFormationClient;
  readonly dynamoDb: DynamoDBClient;
  readonly kinesis: KinesisClient;
  readonly lambda: LambdaClient;
  readonly s3: S3Client;
}

/** Makes them; `adoptLocalEnvironment` comes first. */
export function makeClients(): LocalClients {
  const common = { maxAttempts: 3 };
  return {
    cloudFormation: new CloudFormationClient(common),
    dynamoDb: new DynamoDBClient(common),
    // Its client speaks HTTP/2 by default; the emulator doesn't send answers over 64 KB that way.
    kinesis: new KinesisClient({ ...common, requestHandler: new NodeHttpHandler() }),
    // A repeated invocation is the mapping's business.
    lambda: new LambdaClient({ maxAttempts: 1 }),
    s3: new S3Client({ ...common, forcePathStyle: true }),
  };
}
