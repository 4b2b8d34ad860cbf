import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { KinesisClient } from '@aws-sdk/client-kinesis';
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import { CLIENT_DEFAULTS } from '../src/adapters/aws/send.ts';
import { makeAwsShardScaler } from '../src/adapters/aws/shard-scaler.ts';
import { SHARD_LIMITS } from '../src/core/scaling.ts';
import { makeScale } from '../src/handlers/scale.ts';
import { systemPorts, tablePort } from './shared/clients.ts';
import { readEnv } from './shared/env.ts';
import { logger } from './shared/powertools.ts';
import { bundledProgram } from './shared/program.ts';

const env = readEnv(['streamArn', 'ledgerTable', 'scaling']);
const { partitions } = bundledProgram().settings;

const scale = makeScale(
  {
    ...systemPorts,
    scaler: makeAwsShardScaler({
      kinesis: new KinesisClient(CLIENT_DEFAULTS),
      cloudWatch: new CloudWatchClient(CLIENT_DEFAULTS),
      streamArn: env.streamArn,
      clock: systemPorts.clock,
    }),
    ledger: tablePort(env.ledgerTable),
  },
  {
    ...JSON.parse(env.scaling),
    partitions: partitions === 'shard' ? undefined : partitions,
    limits: SHARD_LIMITS,
  },
);

async function scaleStream(_event: unknown, context: Context): Promise<void> {
  const report = await scale({
    requestId: context.awsRequestId,
    deadlineMs: systemPorts.clock.now() + context.getRemainingTimeInMillis(),
  });
  logger.info('scaled', { ...report });
}

/** Lambda's entry, on a schedule: scales the stream. */
export const handler = middy().use(injectLambdaContext(logger)).handler(scaleStream);
