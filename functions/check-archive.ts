import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware';
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import { METRICS } from '../src/core/contract.ts';
import { makeCheckArchive } from '../src/handlers/check-archive.ts';
import { bucketPort } from './shared/buckets.ts';
import { shardsPort, streamPort, systemPorts, tablePort } from './shared/clients.ts';
import { readEnv } from './shared/env.ts';
import { logger, metrics } from './shared/powertools.ts';
import { bundledProgram } from './shared/program.ts';

const env = readEnv(['streamArn', 'ledgerTable', 'archiveBucket']);

const check = makeCheckArchive(
  {
    ...systemPorts,
    stream: streamPort(env.streamArn),
    shards: shardsPort(env.streamArn),
    ledger: tablePort(env.ledgerTable),
    archive: bucketPort(env.archiveBucket),
  },
  bundledProgram().settings,
);

async function checkArchive(_event: unknown, context: Context): Promise<void> {
  const report = await check({
    requestId: context.awsRequestId,
    deadlineMs: systemPorts.clock.now() + context.getRemainingTimeInMillis(),
  });
  metrics.addMetric(METRICS.archiveGaps, MetricUnit.Count, report.gapCount);
  if (report.lagMs > 0) {
    metrics.addMetric(METRICS.timeToArchive, MetricUnit.Milliseconds, report.lagMs);
  }
  logger.info('checked', { ...report });
}

/** Lambda's entry, on a schedule: looks whether everything is in the archive. */
export const handler = middy()
  .use(injectLambdaContext(logger))
  .use(logMetrics(metrics))
  .handler(checkArchive);
