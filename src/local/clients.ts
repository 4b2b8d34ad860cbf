import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { KinesisClient } from '@aws-sdk/client-kinesis';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { S3Client } from '@aws-sdk/client-s3';
import { SNSClient } from '@aws-sdk/client-sns';
import { SQSClient } from '@aws-sdk/client-sqs';
import { NodeHttpHandler } from '@smithy/node-http-handler';

/** Clients of the local cloud; they read the endpoint and fake credentials from the environment. */
export interface LocalClients {
  readonly cloudFormation: CloudFormationClient;
  readonly cloudWatch: CloudWatchClient;
  readonly dynamoDb: DynamoDBClient;
  readonly eventBridge: EventBridgeClient;
  readonly kinesis: KinesisClient;
  readonly lambda: LambdaClient;
  readonly logs: CloudWatchLogsClient;
  readonly s3: S3Client;
  readonly sns: SNSClient;
  readonly sqs: SQSClient;
}

/** Makes them; `adoptLocalEnvironment` comes first. */
export function makeClients(): LocalClients {
  const common = { maxAttempts: 3 };
  return {
    cloudFormation: new CloudFormationClient(common),
    cloudWatch: new CloudWatchClient(common),
    dynamoDb: new DynamoDBClient(common),
    eventBridge: new EventBridgeClient(common),
    // Its client speaks HTTP/2 by default; the emulator doesn't send answers over 64 KB that way.
    kinesis: new KinesisClient({ ...common, requestHandler: new NodeHttpHandler() }),
    // A repeated invocation is the mapping's business.
    lambda: new LambdaClient({ maxAttempts: 1 }),
    logs: new CloudWatchLogsClient(common),
    s3: new S3Client({ ...common, forcePathStyle: true }),
    sns: new SNSClient(common),
    sqs: new SQSClient(common),
  };
}
