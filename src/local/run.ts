import { setTimeout as delay } from 'node:timers/promises';
import { makeAwsBucket } from '../adapters/aws/bucket.ts';
import { systemClock } from '../adapters/aws/clock.ts';
import { makeAwsStream } from '../adapters/aws/stream.ts';
import { BatchComputation, type BatchResult } from '../batch/batch.ts';
import { type Comparison, compareResults } from '../batch/compare.ts';
import { compile } from '../core/compile.ts';
import type { Feed } from '../core/feed.ts';
import type { Program } from '../core/program.ts';
import { epochOf } from '../core/writer.ts';
import { loadFeed, loadPipeline, type PipelineFolder } from '../project/discover.ts';
import { ArchivedRun, type LocatedVerdict } from './archived-run.ts';
import { type Cloud, type CloudOptions, openCloud } from './cloud.ts';
import { type DeployedMapping, readMapping } from './deployed-mapping.ts';
import { runEvents } from './feed/source.ts';
import { type History, type RunSpec, readHistory, writeHistory } from './history.ts';
import { interruptedRun, unknownRuns } from './kept-tables.ts';
import { CommandError, EXIT } from './local-error.ts';
import { MappingDriver, type MappingProgress } from './mapping-driver.ts';
import { ROOT } from './paths.ts';
import { produce, type TakenEvent } from './producer.ts';
import { hasResults, type ResultSource, readStored } from './results.ts';
import { takeRunLock } from './run-lock.ts';
import { StatusSampler } from './status-sampler.ts';
import type { RunView } from './view.ts';

/** What a local run does. */
export interface RunOptions extends Omit<CloudOptions, 'pipeline'> {
  readonly pipeline: string;
  /** Rows of the feed, 1 to 10,000,000; undefined is the feed's own limit. */
  readonly events: number | undefined;
  /** Events a second; 0 is without limit. */
  readonly rate: number;
  readonly badPercent: number;
  readonly duplicatePercent: number;
  readonly seed: number;
}

/** How a run ended. */
export interface RunResult {
  readonly pipeline: string;
  readonly run: string;
  readonly endpoint: string;
  /** What becomes of the cloud: it stays for `--keep`, and where the user named its endpoint. */
  readonly afterwards: 'stopped' | 'kept' | 'given';
  readonly sent: number;
  readonly seconds: number;
  /** Of all runs into these tables, as the batch computation has it. */
  readonly computed: BatchResult;
  /** Runs into these tables, this one included. */
  readonly runs: number;
  readonly mapping: MappingProgress;
  readonly comparison: Comparison;
  /** The archive of this run, read back; undefined where the pipeline has none. */
  readonly archive: LocatedVerdict | undefined;
  readonly cloud: Pick<Cloud, 'deployment'>;
}

/** How long nothing may move before a run gives up, milliseconds. */
const STUCK_MS = 60_000;
const SAMPLE_MS = 250;

/**
 * The main job: deploys the pipeline's stacks into a local cloud, sends its feed through Kinesis, drives
 * the function, and compares the tables with a batch computation of the same events.
 *
 * @throws CommandError, and the signal's reason when it is aborted
 */
export async function localRun(
  options: RunOptions,
  view: RunView,
  signal: AbortSignal,
): Promise<RunResult> {
  const folder = await loadPipeline(ROOT, options.pipeline);
  const feed = await requireFeed(folder);
  const program = compile(folder.pipeline, folder.references);
  const unlock = takeRunLock(options.directory);
  try {
    const cloud = await openCloud(options, view, signal);
    try {
      return await new Run({ options, folder, feed, program, cloud, view, signal }).run();
    } finally {
      await cloud.close();
    }
  } finally {
    unlock();
  }
}

interface RunContext {
  readonly options: RunOptions;
  readonly folder: PipelineFolder;
  readonly feed: Feed<unknown>;
  readonly program: Program;
  readonly cloud: Cloud;
  readonly view: RunView;
  readonly signal: AbortSignal;
}

/** One run against a cloud that is up. */
class Run {
  readonly #context: RunContext;
  readonly #batch: BatchComputation;
  readonly #takenTimes: number[] = [];
  #archive: ArchivedRun | undefined;
  /** The last record that each shard took. */
  readonly #last = new Map<string, string>();

  constructor(context: RunContext) {
    this.#context = context;
    this.#batch = new BatchComputation(context.folder.pipeline, context.program);
  }

  async run(): Promise<RunResult> {
    const { options, cloud, program, signal } = this.#context;
    const mapping = await readMapping(cloud.clients.lambda, cloud.deployment.mappingId);
    const epoch = await this.#epoch(mapping);
    const history = readHistory(options.directory, epoch);
    const source = { client: cloud.clients.dynamoDb, deployment: cloud.deployment, program, epoch };
    if (history.runs.length === 0 && (await hasResults(source))) {
      throw unknownRuns(options.pipeline, options.endpoint);
    }
    await this.#replay(history);
    const spec = this.#spec();
    writeHistory(options.directory, epoch, {
      ...history,
      runs: [...history.runs, { ...spec, complete: false }],
    });
    const stop = new AbortController();
    const both = AbortSignal.any([signal, stop.signal]);
    const driver = await this.#drive(mapping, history, both);
    this.#archive = await this.#startArchive(epoch, history, both);
    try {
      const startMs = performance.now();
      await this.#feedAndWait(spec, driver, source);
      const seconds = (performance.now() - startMs) / 1000;
      await this.#archive?.finish();
      writeHistory(options.directory, epoch, {
        runs: [...history.runs, { ...spec, complete: true }],
        checkpoints: driver.checkpoints(),
        archiveCheckpoints: this.#archive?.checkpoints() ?? {},
      });
      return await this.#conclude({ spec, seconds, driver, source, history });
    } finally {
      stop.abort();
    }
  }

  async #epoch({ streamArn }: DeployedMapping): Promise<string> {
    const client = this.#context.cloud.clients.kinesis;
    const stream = makeAwsStream({ client, streamArn, clock: systemClock });
    return epochOf(await stream.identify({ deadlineMs: Date.now() + 10_000 }));
  }

  /** Computes again what earlier runs left in these tables. */
  async #replay(history: History): Promise<void> {
    for (const { complete, ...spec } of history.runs) {
      if (!complete) throw interruptedRun(spec, this.#context.options.endpoint);
      const { events } = await runEvents(spec, this.#context);
      for (const event of events) {
        const arrivalMs = spec.nowMs;
        this.#batch.add({ bytes: event.bytes, lane: laneOf(event.partition, ''), arrivalMs });
      }
    }
  }

  #spec(): RunSpec {
    const { options, feed } = this.#context;
    const nowMs = Date.now();
    return {
      pipeline: options.pipeline,
      run: new Date(nowMs).toISOString().replaceAll(/[-:.]/g, ''),
      events: options.events ?? feed.limit,
      nowMs,
      badPercent: options.badPercent,
      duplicatePercent: options.duplicatePercent,
      seed: options.seed,
    };
  }

  async #drive(
    mapping: DeployedMapping,
    { checkpoints }: History,
    signal: AbortSignal,
  ): Promise<MappingDriver> {
    const { clients, deployment } = this.#context.cloud;
    const driver = new MappingDriver({
      kinesis: clients.kinesis,
      lambda: clients.lambda,
      failures: makeAwsBucket({
        client: clients.s3,
        bucketName: deployment.quarantineBucket,
        clock: systemClock,
      }),
      mapping,
      checkpoints,
      signal,
    });
    await driver.start();
    return driver;
  }

  async #startArchive(
    epoch: string,
    { archiveCheckpoints: checkpoints = {} }: History,
    signal: AbortSignal,
  ): Promise<ArchivedRun | undefined> {
    const { cloud, program } = this.#context;
    const { archive } = cloud.deployment;
    if (archive === undefined) return undefined;
    const { partitions } = program.settings;
    return ArchivedRun.start({ cloud, archive, partitions, epoch, checkpoints, signal });
  }

  /** Sends everything and waits until all of it is finished, showing how far it is. */
  async #feedAndWait(spec: RunSpec, driver: MappingDriver, source: ResultSource): Promise<void> {
    const { options, cloud, program, view, signal } = this.#context;
    const { count, events } = await runEvents(spec, this.#context);
    const stop = new AbortController();
    let sentAll = false;
    const sending = produce(events, {
      client: cloud.clients.kinesis,
      streamName: cloud.deployment.streamName,
      partitions: program.settings.partitions,
      rate: options.rate,
      signal: AbortSignal.any([signal, stop.signal]),
      onTaken: (taken) => this.#take(taken),
    }).then(() => {
      sentAll = true;
    });
    // Awaited below; until then a failure must not count as unhandled.
    sending.catch(() => undefined);
    const sampler = new StatusSampler({ driver, source, total: count, times: this.#takenTimes });
    const stuck = new StuckWatch();
    try {
      do {
        if (sentAll) await sending;
        stuck.check(driver.progress(), this.#isFinished(driver));
        view.status(await sampler.sample());
        await Promise.race([delay(SAMPLE_MS, undefined, { signal }), failed(sending)]);
      } while (!sentAll || !this.#isFinished(driver));
      view.status(await sampler.sample({ fresh: true }));
    } finally {
      stop.abort();
      view.done();
    }
  }

  #isFinished(driver: MappingDriver): boolean {
    return [...this.#last].every(([shard, sequence]) => driver.isFinishedUpTo(shard, sequence));
  }

  #take(taken: readonly TakenEvent[]): void {
    this.#archive?.take(taken);
    for (const { event, shard, sequence } of taken) {
      this.#takenTimes.push(event.timeMs);
      this.#last.set(shard, sequence);
      const lane = laneOf(event.partition, shard);
      this.#batch.add({ bytes: event.bytes, lane, arrivalMs: Date.now() });
    }
  }

  async #conclude(ended: {
    readonly spec: RunSpec;
    readonly seconds: number;
    readonly driver: MappingDriver;
    readonly source: ResultSource;
    readonly history: History;
  }): Promise<RunResult> {
    const { options, cloud } = this.#context;
    const computed = this.#batch.result();
    return {
      pipeline: options.pipeline,
      run: ended.spec.run,
      endpoint: cloud.endpoint,
      afterwards: afterwards(options),
      sent: this.#takenTimes.length,
      seconds: ended.seconds,
      computed,
      runs: ended.history.runs.length + 1,
      mapping: ended.driver.progress(),
      comparison: compareResults(await readStored(ended.source), computed),
      archive: await this.#archive?.verify(),
      cloud: { deployment: cloud.deployment },
    };
  }
}

/** Throws when nothing was finished for a long time although there is something to do. */
class StuckWatch {
  #finished = -1;
  #sinceMs = Date.now();

  check(progress: MappingProgress, allFinished: boolean): void {
    const count = finished(progress);
    if (count !== this.#finished || allFinished) this.#sinceMs = Date.now();
    this.#finished = count;
    if (Date.now() - this.#sinceMs < STUCK_MS) return;
    throw new CommandError('The pipeline does not move', {
      exitCode: EXIT.refused,
      detail: `got ${count} events finished and nothing new for ${STUCK_MS / 1000} s (${progress.troubled} of ${progress.invocations} invocations failed; the last: ${progress.lastFailure ?? 'nothing'}), expected the function to finish them`,
      next: 'look at the function’s log lines in .millrace/local/emulator.log, or run again with --keep and read its log group',
    });
  }
}

/** Records that are finished, one way or the other. */
function finished({ processed, dropped, givenUp }: MappingProgress): number {
  return processed + dropped + givenUp;
}

/** Never ends but by the failure of the promise. */
function failed(promise: Promise<void>): Promise<never> {
  return new Promise((_resolve, reject) => promise.catch(reject));
}

function afterwards({ endpoint, keep }: RunOptions): RunResult['afterwards'] {
  if (endpoint !== undefined) return 'given';
  return keep ? 'kept' : 'stopped';
}

function laneOf(partition: number | undefined, shard: string): string {
  return partition === undefined ? shard : `p${partition}`;
}

async function requireFeed(folder: PipelineFolder): Promise<Feed<unknown>> {
  const feed = await loadFeed(folder);
  if (feed !== undefined) return feed as Feed<unknown>;
  throw new CommandError(`Pipeline ${folder.name} has no data to send`, {
    exitCode: EXIT.missing,
    detail: `got no pipelines/${folder.name}/feed.ts, expected one`,
    next: 'write it: docs/PIPELINES.md, "The feed"',
  });
}
