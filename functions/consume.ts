import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware';
import middy from '@middy/core';
import type { Context, KinesisStreamBatchResponse, KinesisStreamEvent } from 'aws-lambda';
import { METRICS } from '../src/core/contract.ts';
import { programOf } from '../src/core/generation.ts';
import { makeConsume } from '../src/handlers/consume.ts';
import type { BatchReport } from '../src/handlers/report.ts';
import { outletPorts, systemPorts, unitMeter } from './shared/clients.ts';
import { CONSUME_ENV, consumePorts } from './shared/consume-ports.ts';
import { readEnv, readTraceId } from './shared/env.ts';
import { logger, metrics } from './shared/powertools.ts';
import { bundledProgram } from './shared/program.ts';

const env = readEnv([...CONSUME_ENV, 'outputs']);
const program = programOf(bundledProgram(), env.generation);

const consume = makeConsume(
  {
    ...consumePorts(env),
    outlets: outletPorts(env.outputs),
  },
  program,
);

async function consumeBatch(
  event: KinesisStreamEvent,
  context: Context,
): Promise<KinesisStreamBatchResponse> {
  const traceId = readTraceId();
  const { response, report } = await consume(event, {
    requestId: context.awsRequestId,
    ...(traceId === undefined ? {} : { traceId }),
    deadlineMs: systemPorts.clock.now() + context.getRemainingTimeInMillis(),
  });
  measure(report);
  const units = unitMeter.take();
  logger.info('batch', { ...report, units, failures: response.batchItemFailures.length });
  return response;
}

function measure(report: BatchReport): void {
  const counts = [
    'received',
    'accepted',
    'duplicates',
    'quarantined',
    'partlyLate',
    'unfinished',
    'conflicts',
  ] as const;
  for (const name of counts) metrics.addMetric(METRICS[name], MetricUnit.Count, report[name]);
  metrics.addMetric(METRICS.corrected, MetricUnit.Count, report.corrections);
  // Only where there is one: the statistics are of late events, not of calls.
  if (report.correctionMs > 0)
    metrics.addMetric(METRICS.correctingLateness, MetricUnit.Seconds, report.correctionMs / 1000);
  if (report.lateMs > 0)
    metrics.addMetric(METRICS.lateness, MetricUnit.Seconds, report.lateMs / 1000);
  if (program.outputs.length > 0) {
    metrics.addMetric(METRICS.derived, MetricUnit.Count, report.derived);
  }
  if (report.latencyMs > 0)
    metrics.addMetric(METRICS.latency, MetricUnit.Milliseconds, report.latencyMs);
}

/** Lambda's entry: a Kinesis batch in, a partial batch response out. */
export const handler = middy<KinesisStreamEvent, KinesisStreamBatchResponse>()
  .use(injectLambdaContext(logger))
  .use(logMetrics(metrics))
  .handler(consumeBatch);
