import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware';
import { LambdaClient } from '@aws-sdk/client-lambda';
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import { makeAwsMappingSwitch } from '../src/adapters/aws/mapping-switch.ts';
import { CLIENT_DEFAULTS } from '../src/adapters/aws/send.ts';
import { METRICS } from '../src/core/contract.ts';
import { programOf } from '../src/core/generation.ts';
import { makeRecover, type RecoverReport } from '../src/handlers/recover.ts';
import { bucketPort } from './shared/buckets.ts';
import { shardsPort, systemPorts, tablePort } from './shared/clients.ts';
import { CONSUME_ENV, consumePorts } from './shared/consume-ports.ts';
import { readEnv } from './shared/env.ts';
import { logger, metrics } from './shared/powertools.ts';
import { bundledProgram } from './shared/program.ts';

const env = readEnv([...CONSUME_ENV, 'archiveBucket', 'sourceTable', 'liveMapping', 'ownMapping']);
const program = programOf(bundledProgram(), env.generation);

const recover = makeRecover(
  {
    ...consumePorts(env),
    shards: shardsPort(env.streamArn),
    failures: bucketPort(env.quarantineBucket),
    archive: bucketPort(env.archiveBucket),
    source: tablePort(env.sourceTable),
    mapping: makeAwsMappingSwitch({
      client: new LambdaClient(CLIENT_DEFAULTS),
      mappingId: env.ownMapping,
      clock: systemPorts.clock,
    }),
  },
  program,
  { mappingId: env.liveMapping, generation: env.generation },
);

async function recoverOnce(_event: unknown, context: Context): Promise<RecoverReport> {
  const report = await recover({
    requestId: context.awsRequestId,
    deadlineMs: systemPorts.clock.now() + context.getRemainingTimeInMillis(),
  });
  metrics.addMetric(METRICS.batchesGivenUp, MetricUnit.Count, report.givenUp);
  logger.info('recovered', { ...report });
  return report;
}

/** Lambda's entry, on a schedule: rebuilds what stands by when a batch was given up. */
export const handler = middy<unknown, RecoverReport>()
  .use(injectLambdaContext(logger))
  .use(logMetrics(metrics))
  .handler(recoverOnce);
