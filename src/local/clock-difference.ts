import { DescribeTableCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb';

/**
 * How far the service's clock is ahead of this machine's, milliseconds, to a second or two; 0 where the answer
 * doesn't say.
 */
export async function clockDifferenceMs(
  client: DynamoDBClient,
  tableName: string,
): Promise<number> {
  let differenceMs = 0;
  const command = new DescribeTableCommand({ TableName: tableName });
  command.middlewareStack.add(
    (next) => async (request) => {
      const answer = await next(request);
      const date: unknown = Reflect.get(
        Object(Reflect.get(Object(answer.response), 'headers')),
        'date',
      );
      const serviceMs = typeof date === 'string' ? Date.parse(date) : Number.NaN;
      if (Number.isFinite(serviceMs)) differenceMs = serviceMs - Date.now();
      return answer;
    },
    { step: 'deserialize', priority: 'low' },
  );
  await client.send(command);
  return differenceMs;
}
