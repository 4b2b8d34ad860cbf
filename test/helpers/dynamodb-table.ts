import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';

/** Makes a table as the stacks have them, on demand with `pk` and `sk`, and a client that reaches it. */
export async function makeDynamoDbTable(
  endpoint: string,
  TableName: string,
): Promise<DynamoDBClient> {
  const client = new DynamoDBClient({
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  const keys = ['pk', 'sk'] as const;
  await client.send(
    new CreateTableCommand({
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: keys.map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
      KeySchema: keys.map((AttributeName, index) => ({
        AttributeName,
        KeyType: index === 0 ? 'HASH' : 'RANGE',
      })),
    }),
  );
  return client;
}
