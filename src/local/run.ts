import { setTimeout as delay } from 'node:timers/promises';
import { systemClock } from '../adapters/aws/clock.ts';
import { makeAwsOutlet } from '../adapters/aws/outlet.ts';
import { makeAwsStream } from '../adapters/aws/stream.ts';
import { BatchComputation } from '../batch/batch.ts';
import { compareResults } from '../batch/compare.ts';
import { compile } from '../core/compile.ts';
import type { Feed } from '../core/feed.ts';
import type { Program } from '../core/program.ts';
import { epochOf } from '../core/writer.ts';
import { loadPipeline, type PipelineFolder } from '../project/discover.ts';
import { loadStages } from '../project/stages.ts';
import { ArchivedRun } from './archived-run.ts';
import { ClosedRun } from './closed-run.ts';
import { type Cloud, openCloud } from './cloud.ts';
import type { CloudWatchBridge } from './cloudwatch/bridge.ts';
import { openWatch } from './console/watch.ts';
import { type DeployedMapping, readMapping } from './deployed-mapping.ts';
import { FedStages } from './fed-stages.ts';
import { type RunEvents, runEvents } from './feed/source.ts';
import { type History, type RunNote, type RunSpec, readHistory, writeHistory } from './history.ts';
import { interruptedRun, redrivenTables, runOfOtherVersion, unknownRuns } from './kept-tables.ts';
import type { MappingDriver } from './mapping-driver.ts';
import { ROOT } from './paths.ts';
import { produce, type TakenEvent } from './producer.ts';
import { requireFeed } from './require-feed.ts';
import { hasRedriven, hasResults, type ResultSource, readStored } from './results.ts';
import { takeRunLock } from './run-lock.ts';
import type { RunOptions, RunResult } from './run-types.ts';
import { stallMapping, stallRate } from './stall.ts';
import { startDriver } from './start-driver.ts';
import { StatusSampler } from './status-sampler.ts';
import { StuckWatch } from './stuck-watch.ts';
import type { RunView } from './view.ts';

const SAMPLE_MS = 250;
const RATE = 5_000;

/**
 * The main job: deploys the pipeline's stacks into a local cloud, with those of the pipelines that it feeds,
 * sends its feed through Kinesis, drives the functions, and compares the tables with a batch computation of
 * the same events.
 *
 * @throws CommandError, and the signal's reason when it is aborted
 */
export async function localRun(
  options: RunOptions,
  view: RunView,
  signal: AbortSignal,
): Promise<RunResult> {
  const folder = await loadPipeline(ROOT, options.pipeline);
  const fed = (await loadStages(ROOT, [folder.name])).filter(({ name }) => name !== folder.name);
  const feed = await requireFeed(folder);
  const program = compile(folder.pipeline, folder.references, { makeDecoder: folder.decoder.make });
  const unlock = takeRunLock(options.directory);
  try {
    const cloud = await openCloud(options, view, signal);
    try {
      const watch = await openWatch({ options, cloud, view });
      try {
        const { bridge, page } = watch;
        const run = new Run({ options, folder, fed, feed, program, cloud, bridge, view, signal });
        return { ...(await run.run()), page };
      } catch (error) {
        await watch.page?.close();
        throw error;
      } finally {
        await watch.close();
      }
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
  /** The pipelines that it feeds, directly or by way of others. */
  readonly fed: readonly PipelineFolder[];
  readonly feed: Feed<unknown>;
  readonly program: Program;
  readonly cloud: Cloud;
  readonly bridge: CloudWatchBridge;
  readonly view: RunView;
  readonly signal: AbortSignal;
}

/** One run against a cloud that is up. */
class Run {
  readonly #context: RunContext;
  readonly #batch: BatchComputation;
  readonly #takenTimes: number[] = [];
  readonly #takenMs: number[] = [];
  #archive: ArchivedRun | undefined;
  #closing: ClosedRun | undefined;
  #stages: FedStages | undefined;
  /** The last record that each shard took. */
  readonly #last = new Map<string, string>();

  constructor(context: RunContext) {
    this.#context = context;
    this.#batch = new BatchComputation(context.folder.pipeline, context.program);
  }

  async run(): Promise<Omit<RunResult, 'page'>> {
    const { options, fed, cloud, program, signal } = this.#context;
    const mapping = await readMapping(cloud.clients.lambda, cloud.deployment.mappingId);
    const epoch = await this.#epoch(mapping);
    const history = readHistory(options.directory, epoch);
    const source = { client: cloud.clients.dynamoDb, deployment: cloud.deployment, program, epoch };
    if (history.runs.length === 0 && (await hasResults(source))) {
      throw unknownRuns(options.pipeline, options.endpoint);
    }
    if (await hasRedriven(source)) throw redrivenTables(options.pipeline, options.endpoint);
    await this.#replay(history);
    const spec = this.#spec();
    writeHistory(options.directory, epoch, {
      ...history,
      runs: [...history.runs, this.#noteOf(spec, false)],
    });
    const stop = new AbortController();
    const both = AbortSignal.any([signal, stop.signal]);
    const driver = await this.#drive(mapping, history, both);
    this.#archive = await this.#startArchive(epoch, history, both);
    this.#closing = await this.#startClosing(source, both);
    const { directory } = options;
    this.#stages = await FedStages.start(fed, { cloud, directory, signal: both });
    try {
      const startMs = performance.now();
      await this.#feedAndWait(spec, driver, { ...source, streamArn: mapping.streamArn });
      await this.#stages.finish();
      const seconds = (performance.now() - startMs) / 1000;
      await this.#archive?.finish();
      await this.#closing?.finish();
      await this.#waitForAlarms();
      writeHistory(options.directory, epoch, {
        runs: [...history.runs, this.#noteOf(spec, true)],
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
    const { version: current } = this.#context.cloud.deployment;
    for (const { complete, version = current?.print, ...spec } of history.runs) {
      if (!complete) throw interruptedRun(spec, this.#context.options.endpoint);
      if (version !== current?.print) throw runOfOtherVersion(spec, this.#context.options.endpoint);
      const { events } = await runEvents(spec, this.#context);
      for (const event of events) {
        const arrivalMs = spec.nowMs;
        this.#batch.add({ bytes: event.bytes, lane: laneOf(event.partition, ''), arrivalMs });
      }
    }
  }

  #noteOf(spec: RunSpec, complete: boolean): RunNote {
    const { version } = this.#context.cloud.deployment;
    return { ...spec, complete, ...(version === undefined ? {} : { version: version.print }) };
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
    const { bridge, cloud } = this.#context;
    const driver = await startDriver(cloud, {
      mapping,
      checkpoints,
      signal,
      observer: bridge.observer(),
    });
    bridge.start(driver);
    return driver;
  }

  async #startArchive(
    epoch: string,
    { archiveCheckpoints: checkpoints = {} }: History,
    signal: AbortSignal,
  ): Promise<ArchivedRun | undefined> {
    const { cloud, program, bridge } = this.#context;
    const { archive } = cloud.deployment;
    if (archive === undefined) return undefined;
    const { partitions } = program.settings;
    const observer = bridge.observer(archive);
    return ArchivedRun.start({ cloud, archive, partitions, epoch, checkpoints, signal, observer });
  }

  async #startClosing(source: ResultSource, signal: AbortSignal): Promise<ClosedRun | undefined> {
    const { cloud } = this.#context;
    const { closer } = cloud.deployment;
    return closer === undefined ? undefined : ClosedRun.start({ cloud, closer, source, signal });
  }

  /** An alarm that went on is seen to go off again. */
  async #waitForAlarms(): Promise<void> {
    const { bridge, view, signal } = this.#context;
    const on = bridge.history.on();
    if (on.length > 0) view.notice(`all is finished; waiting for ${on.join(', ')} to clear`);
    await bridge.cleared(signal);
  }

  /** Sends everything and waits until all of it is finished, showing how far it is. */
  async #feedAndWait(
    spec: RunSpec,
    driver: MappingDriver,
    source: ResultSource & { readonly streamArn: string },
  ): Promise<void> {
    const { bridge, view, signal } = this.#context;
    const run = await runEvents(spec, this.#context);
    const { count } = run;
    const stop = new AbortController();
    const both = AbortSignal.any([signal, stop.signal]);
    let sentAll = false;
    const sending = this.#produce(run, source.streamArn, both).then(() => {
      sentAll = true;
    });
    const stalling = this.#stall(driver, both);
    // Awaited below; until then a failure must not count as unhandled.
    for (const one of [sending, stalling]) one.catch(() => undefined);
    const sampler = new StatusSampler({
      driver,
      source,
      total: count,
      times: this.#takenTimes,
      takenMs: this.#takenMs,
      alarms: () => bridge.history.on(),
      fed: () => this.#stages?.progress() ?? [],
    });
    const stuck = new StuckWatch();
    try {
      do {
        if (sentAll) await sending;
        bridge.check();
        stuck.check(driver.progress(), this.#isFinished(driver) || driver.isPaused);
        view.status(await sampler.sample());
        await Promise.race([delay(SAMPLE_MS, undefined, { signal }), failed(sending)]);
      } while (!sentAll || !this.#isFinished(driver));
      view.status(await sampler.sample({ fresh: true }));
    } finally {
      stop.abort();
      view.done();
    }
  }

  #produce({ events, count }: RunEvents, streamArn: string, signal: AbortSignal): Promise<void> {
    const { options, cloud, program, bridge } = this.#context;
    const client = cloud.clients.kinesis;
    const { stallSeconds, rate = stallSeconds > 0 ? stallRate(count, stallSeconds) : RATE } =
      options;
    return produce(events, {
      outlet: makeAwsOutlet({ client, streamArn, clock: systemClock }),
      partitions: program.settings.partitions,
      rate,
      signal,
      onTaken: (taken) => this.#take(taken),
      onSent: (sent) => bridge.sent(sent),
    });
  }

  async #stall(driver: MappingDriver, signal: AbortSignal): Promise<void> {
    const { options, view } = this.#context;
    const seconds = options.stallSeconds;
    const onChange = (text: string) => view.notice(text);
    if (seconds > 0) await stallMapping({ driver, seconds, signal, onChange });
  }

  #isFinished(driver: MappingDriver): boolean {
    return [...this.#last].every(([shard, sequence]) => driver.isFinishedUpTo(shard, sequence));
  }

  #take(taken: readonly TakenEvent[]): void {
    this.#archive?.take(taken);
    for (const { event, shard, sequence } of taken) {
      this.#takenTimes.push(event.timeMs);
      this.#takenMs.push(Date.now());
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
  }): Promise<Omit<RunResult, 'page'>> {
    const { options, cloud, folder } = this.#context;
    const computed = this.#batch.result();
    const { derived } = computed;
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
      closing: await this.#closing?.verify(computed),
      stages: (await this.#stages?.verify({ pipeline: folder.pipeline, derived })) ?? [],
      alarms: this.#context.bridge.history.all(),
      alarmSpeed: options.alarmSpeed,
      cloud: { deployment: cloud.deployment },
    };
  }
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
