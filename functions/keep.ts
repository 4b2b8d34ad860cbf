import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import { makeKeep } from '../src/handlers/keep.ts';
import { streamPort, systemPorts, tablePort } from './shared/clients.ts';
import { readEnv } from './shared/env.ts';
import { logger } from './shared/powertools.ts';
import { bundledProgram } from './shared/program.ts';

const env = readEnv(['streamArn', 'ledgerTable']);

const keep = makeKeep(
  { ...systemPorts, stream: streamPort(env.streamArn), ledger: tablePort(env.ledgerTable) },
  bundledProgram().settings,
);

async function keepAlive(_event: unknown, context: Context): Promise<void> {
  const report = await keep({
    requestId: context.awsRequestId,
    deadlineMs: systemPorts.clock.now() + context.getRemainingTimeInMillis(),
  });
  logger.info('kept', { ...report });
}

/** Lambda's entry, on a schedule: keeps the ledgers of idle writers alive. */
export const handler = middy().use(injectLambdaContext(logger)).handler(keepAlive);
