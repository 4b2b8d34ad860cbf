import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import { makeAwsPublisher } from '../src/adapters/aws/publisher.ts';
import { CLIENT_DEFAULTS } from '../src/adapters/aws/send.ts';
import { METRICS } from '../src/core/contract.ts';
import { type CloseReport, makeClose } from '../src/handlers/close.ts';
import { streamPort, systemPorts, tablePort } from './shared/clients.ts';
import { readEnv } from './shared/env.ts';
import { logger, metrics } from './shared/powertools.ts';
import { bundledProgram } from './shared/program.ts';

const env = readEnv([
  'pipeline',
  'streamArn',
  'ledgerTable',
  'aggregatesTable',
  'closedWindowsBus',
  'sourceTable',
  'generation',
]);

const close = makeClose(
  {
    ...systemPorts,
    stream: streamPort(env.streamArn),
    ledger: tablePort(env.ledgerTable),
    aggregates: tablePort(env.aggregatesTable),
    generation: { name: env.generation, pointer: tablePort(env.sourceTable) },
    publisher: makeAwsPublisher({
      client: new EventBridgeClient(CLIENT_DEFAULTS),
      busName: env.closedWindowsBus,
      pipeline: env.pipeline,
      clock: systemPorts.clock,
    }),
  },
  bundledProgram(),
);

async function closeWindows(_event: unknown, context: Context): Promise<CloseReport> {
  const report = await close({
    requestId: context.awsRequestId,
    deadlineMs: systemPorts.clock.now() + context.getRemainingTimeInMillis(),
  });
  measure(report);
  logger.info('closed', { ...report });
  return report;
}

function measure({ windows, rows, corrections, forced, delayMs }: CloseReport): void {
  metrics.addMetric(METRICS.closerRuns, MetricUnit.Count, 1);
  metrics.addMetric(METRICS.windowsClosed, MetricUnit.Count, windows);
  metrics.addMetric(METRICS.rowsPublished, MetricUnit.Count, rows);
  metrics.addMetric(METRICS.rowsCorrected, MetricUnit.Count, corrections);
  metrics.addMetric(METRICS.writersForced, MetricUnit.Count, forced);
  if (delayMs === undefined) return;
  metrics.addMetric(METRICS.closingDelay, MetricUnit.Seconds, delayMs / 1000);
}

/** Lambda's entry, on a schedule: closes windows and publishes them. Answers what it did. */
export const handler = middy()
  .use(injectLambdaContext(logger))
  .use(logMetrics(metrics))
  .handler(closeWindows);
