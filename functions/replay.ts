import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import type { ReplaySettings } from '../src/core/contract.ts';
import { programOf } from '../src/core/generation.ts';
import {
  describeGeneration,
  type GenerationDescription,
  type RowsPage,
  type RowsQuery,
  readRows,
} from '../src/handlers/generation-rows.ts';
import type { ReplayPorts } from '../src/handlers/ports.ts';
import { makeReplay, type Replay, type ReplayRequest } from '../src/handlers/replay.ts';
import { generationJob, liveJob } from '../src/handlers/replay-job.ts';
import type { ReplayReport } from '../src/handlers/replay-report.ts';
import { bucketPort } from './shared/buckets.ts';
import { outletPorts, shardsPort, systemPorts, tablePort, unitMeter } from './shared/clients.ts';
import { CONSUME_ENV, consumePorts } from './shared/consume-ports.ts';
import { readEnv } from './shared/env.ts';
import { logger } from './shared/powertools.ts';
import { bundledProgram } from './shared/program.ts';

const env = readEnv([...CONSUME_ENV, 'outputs', 'archiveBucket', 'sourceTable', 'replay']);
const program = programOf(bundledProgram(), env.generation);
const settings: ReplaySettings | null = JSON.parse(env.replay);

const ports: ReplayPorts = {
  ...consumePorts(env),
  shards: shardsPort(env.streamArn),
  outlets: outletPorts(env.outputs),
  archive: bucketPort(env.archiveBucket),
  source: tablePort(env.sourceTable),
};

/** Of a generation kept while the container lives; what the live one lacks is looked up in each call. */
let rebuild: Replay | undefined;

async function replayFor(deadlineMs: number): Promise<Replay> {
  if (settings === null)
    return makeReplay(ports, program, await liveJob(ports, program, deadlineMs));
  const { job, filtered } = generationJob(program, settings);
  rebuild ??= makeReplay(ports, filtered, job);
  return rebuild;
}

/** What the function can be asked for: to replay, what it is, or results of its generation. */
type Request = ReplayRequest | { readonly describe: true } | { readonly rows: RowsQuery };

async function answer(
  request: Request,
  context: Context,
): Promise<ReplayReport | GenerationDescription | RowsPage> {
  const deadlineMs = systemPorts.clock.now() + context.getRemainingTimeInMillis();
  if ('describe' in request) return describeGeneration(program, settings);
  if ('rows' in request) {
    const { clock, random } = systemPorts;
    return readRows(ports, { program, query: request.rows }, { clock, random, deadlineMs });
  }
  const replay = await replayFor(deadlineMs);
  const report = await replay(request, { requestId: context.awsRequestId, deadlineMs });
  logger.info('replayed', { ...report, units: unitMeter.take() });
  return report;
}

/** Lambda's entry: replays for a while and says how far it is, or answers about its generation. */
export const handler = middy<Request, ReplayReport | GenerationDescription | RowsPage>()
  .use(injectLambdaContext(logger))
  .handler(answer);
