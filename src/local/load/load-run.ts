import { systemClock } from '../../adapters/aws/clock.ts';
import { makeAwsOutlet } from '../../adapters/aws/outlet.ts';
import { systemRandom } from '../../adapters/aws/random.ts';
import { makeAwsStream } from '../../adapters/aws/stream.ts';
import { makeAwsTable } from '../../adapters/aws/table.ts';
import { compile } from '../../core/compile.ts';
import type { Program } from '../../core/program.ts';
import { epochOf, partitionWriter } from '../../core/writer.ts';
import { loadPipeline } from '../../project/discover.ts';
import { openCloud } from '../cloud.ts';
import { type DeploymentChoice, type OpenDeployment, openDeployment } from '../deployed.ts';
import { readMapping } from '../deployed-mapping.ts';
import { makeEventMaker } from '../feed/events.ts';
import { readTimedRows } from '../feed/timed-rows.ts';
import { ROOT } from '../paths.ts';
import { requireFeed } from '../require-feed.ts';
import { takeRunLock } from '../run-lock.ts';
import { startDriver } from '../start-driver.ts';
import type { RunView } from '../view.ts';
import { endlessEvents } from './endless-events.ts';
import { kneeOf, type LoadStep, nextRate, type SearchOptions } from './knee.ts';
import { type TryOptions, tryRate } from './try-rate.ts';

/** What a load test does. */
export interface LoadOptions extends DeploymentChoice, SearchOptions {
  /** How long each rate is held, seconds. */
  readonly seconds: number;
  /** For what a local run leaves behind. */
  readonly directory: string;
  /** AWS_ENDPOINT_URL may be on another machine. */
  readonly remote: boolean;
}

/** How a load test went. */
export interface LoadResult {
  readonly pipeline: string;
  readonly environment: string;
  readonly steps: readonly LoadStep[];
  /** Undefined where not even the first rate held. */
  readonly knee: LoadStep | undefined;
}

/** How it shows what it does. */
export interface LoadView extends RunView {
  readonly progress: (text: string) => void;
  readonly step: (step: LoadStep) => void;
}

/** Rows of the feed that are sent again and again. */
const ROWS = 20_000;

/** Results are waited for at least so long after the last event of a rate, milliseconds. */
const WAIT_MS_MIN = 10_000;

/**
 * Sends events at growing rates until results come too late, and finds the highest rate that holds. Locally
 * into a cloud of its own, which is thrown away; on AWS into the deployment, where the events count.
 *
 * @throws CommandError, and the signal's reason
 */
export async function loadTest(
  options: LoadOptions,
  view: LoadView,
  signal: AbortSignal,
): Promise<LoadResult> {
  if (options.environment !== 'local') {
    return search(options, await openDeployment(options), view, signal);
  }
  const unlock = takeRunLock(options.directory);
  try {
    const cloud = await openCloud({ ...options, keep: false }, view, signal);
    const stop = new AbortController();
    try {
      await drive(cloud, AbortSignal.any([signal, stop.signal]));
      return await search(options, cloud, view, signal);
    } finally {
      stop.abort();
      await cloud.close();
    }
  } finally {
    unlock();
  }
}

/** Locally the mapping is driven from here. */
async function drive(open: OpenDeployment, signal: AbortSignal): Promise<void> {
  const mapping = await readMapping(open.clients.lambda, open.deployment.mappingId);
  await startDriver(open, { mapping, checkpoints: {}, signal });
}

async function search(
  options: LoadOptions,
  open: OpenDeployment,
  view: LoadView,
  signal: AbortSignal,
): Promise<LoadResult> {
  const { pipeline, environment, seconds, p99Ms } = options;
  const target = await targetOf(pipeline, open);
  const steps: LoadStep[] = [];
  for (;;) {
    const rate = nextRate(steps, options);
    if (rate === undefined) break;
    const step = await tryRate({
      ...target,
      rate,
      seconds,
      waitMs: Math.max(WAIT_MS_MIN, 2 * p99Ms),
      random: systemRandom,
      signal,
      onProgress: ({ offered, taken, waiting }) =>
        view.progress(`${rate}/s: ${offered} due, ${taken} taken, ${waiting} wait for results`),
    });
    steps.push(step);
    view.step(step);
  }
  view.done();
  return { pipeline, environment, steps, knee: kneeOf(steps, options) };
}

/** Where events go, and what they are. */
async function targetOf(
  pipeline: string,
  { clients, deployment }: OpenDeployment,
): Promise<Pick<TryOptions, 'outlet' | 'event' | 'partitions' | 'epoch' | 'ledger' | 'writers'>> {
  const folder = await loadPipeline(ROOT, pipeline);
  const program = compile(folder.pipeline, folder.references);
  const feed = await requireFeed(folder);
  const nowMs = Date.now();
  const rows = await readTimedRows({ feed, directory: folder.directory, limit: ROWS, nowMs });
  const run = `load-${new Date(nowMs).toISOString().replaceAll(/[-:.]/g, '')}`;
  const { streamArn } = await readMapping(clients.lambda, deployment.mappingId);
  const client = clients.kinesis;
  const stream = makeAwsStream({ client, streamArn, clock: systemClock });
  const epoch = epochOf(await stream.identify({ deadlineMs: nowMs + 10_000 }));
  return {
    outlet: makeAwsOutlet({ client, streamArn, clock: systemClock }),
    event: endlessEvents(makeEventMaker({ feed, program, run, idField: folder.pipeline.id }), rows),
    partitions: program.settings.partitions,
    epoch,
    ledger: makeAwsTable({
      client: clients.dynamoDb,
      tableName: deployment.ledgerTable,
      clock: systemClock,
    }),
    writers: writersOf(program, epoch),
  };
}

function writersOf({ settings }: Program, epoch: string): readonly string[] {
  const { partitions } = settings;
  if (partitions === 'shard') return [];
  return Array.from({ length: partitions }, (_, index) => partitionWriter(epoch, index));
}
