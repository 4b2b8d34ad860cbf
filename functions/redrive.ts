import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware';
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import { METRICS } from '../src/core/contract.ts';
import { programOf } from '../src/core/generation.ts';
import { makeRedrive, type RedriveAnswer } from '../src/handlers/redrive.ts';
import { parseRedriveRequest } from '../src/handlers/redrive-request.ts';
import { outletPorts, systemPorts } from './shared/clients.ts';
import { CONSUME_ENV, consumePorts } from './shared/consume-ports.ts';
import { readEnv, readTraceId } from './shared/env.ts';
import { logger, metrics } from './shared/powertools.ts';
import { bundledProgram } from './shared/program.ts';

const env = readEnv([...CONSUME_ENV, 'outputs']);
const program = programOf(bundledProgram(), env.generation);

const redrive = makeRedrive(
  {
    ...consumePorts(env),
    outlets: outletPorts(env.outputs),
  },
  program,
);

async function answer(event: unknown, context: Context): Promise<RedriveAnswer> {
  const traceId = readTraceId();
  const request = parseRedriveRequest(event);
  const answered = await redrive(request, {
    requestId: context.awsRequestId,
    ...(traceId === undefined ? {} : { traceId }),
    deadlineMs: systemPorts.clock.now() + context.getRemainingTimeInMillis(),
  });
  if (answered.action === 'run') {
    const { accepted, quarantined } = answered.progress.report;
    metrics.addMetric(METRICS.redriven, MetricUnit.Count, accepted);
    metrics.addMetric(METRICS.refusedAgain, MetricUnit.Count, quarantined);
  }
  logger.info('redrive', { ...answered });
  return answered;
}

/** Lambda's entry, called by `millrace redrive`: brings refused events back. */
export const handler = middy()
  .use(injectLambdaContext(logger))
  .use(logMetrics(metrics))
  .handler(answer);
