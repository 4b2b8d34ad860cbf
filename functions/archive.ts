import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware';
import middy from '@middy/core';
import type { Context, KinesisStreamBatchResponse, KinesisStreamEvent } from 'aws-lambda';
import { METRICS } from '../src/core/contract.ts';
import { type ArchiveReport, makeArchive } from '../src/handlers/archive.ts';
import { bucketPort } from './shared/buckets.ts';
import { streamPort, systemPorts, tablePort } from './shared/clients.ts';
import { readEnv } from './shared/env.ts';
import { logger, metrics } from './shared/powertools.ts';
import { bundledProgram } from './shared/program.ts';

const env = readEnv(['streamArn', 'ledgerTable', 'archiveBucket']);

const archive = makeArchive(
  {
    ...systemPorts,
    stream: streamPort(env.streamArn),
    ledger: tablePort(env.ledgerTable),
    archive: bucketPort(env.archiveBucket),
  },
  bundledProgram().settings,
);

async function archiveBatch(
  event: KinesisStreamEvent,
  context: Context,
): Promise<KinesisStreamBatchResponse> {
  const { response, report } = await archive(event, {
    requestId: context.awsRequestId,
    deadlineMs: systemPorts.clock.now() + context.getRemainingTimeInMillis(),
  });
  measure(report);
  logger.info('archived', { ...report, failures: response.batchItemFailures.length });
  return response;
}

function measure({ archived, bytes, timeToArchiveMs }: ArchiveReport): void {
  metrics.addMetric(METRICS.archivedRecords, MetricUnit.Count, archived);
  metrics.addMetric(METRICS.archivedBytes, MetricUnit.Bytes, bytes);
  // A batch of which all was archived before says nothing about the time.
  if (archived === 0) return;
  metrics.addMetric(METRICS.timeToArchive, MetricUnit.Milliseconds, timeToArchiveMs);
}

/** Lambda's entry: a Kinesis batch in, a partial batch response out. */
export const handler = middy<KinesisStreamEvent, KinesisStreamBatchResponse>()
  .use(injectLambdaContext(logger))
  .use(logMetrics(metrics))
  .handler(archiveBatch);
