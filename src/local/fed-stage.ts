import { setTimeout as delay } from 'node:timers/promises';
import { systemClock } from '../adapters/aws/clock.ts';
import { makeAwsStream } from '../adapters/aws/stream.ts';
import { BatchComputation, type BatchResult } from '../batch/batch.ts';
import { type Comparison, compareResults } from '../batch/compare.ts';
import { compareDerived } from '../batch/compare-derived.ts';
import type { BatchDerived } from '../batch/derived.ts';
import { compile } from '../core/compile.ts';
import { isDerivedBy } from '../core/origin.ts';
import type { Program } from '../core/program.ts';
import { epochOf } from '../core/writer.ts';
import type { PipelineFolder } from '../project/discover.ts';
import type { Cloud } from './cloud.ts';
import { readMapping } from './deployed-mapping.ts';
import { readHistory, writeHistory } from './history.ts';
import type { MappingDriver, MappingProgress } from './mapping-driver.ts';
import { readStored } from './results.ts';
import { type Deployment, readDeployment } from './stacks.ts';
import { startDriver } from './start-driver.ts';
import { readStream, type StreamRecord } from './stream-records.ts';
import { StuckWatch } from './stuck-watch.ts';

/** What a stage is run with. */
export interface FedStageOptions {
  readonly cloud: Cloud;
  readonly folder: PipelineFolder;
  /** Where the histories of runs are. */
  readonly directory: string;
  readonly signal: AbortSignal;
}

/** What became of a stage. */
export interface StageVerdict {
  readonly pipeline: string;
  /** Events in its stream, copies left out. */
  readonly events: number;
  /** Records in its stream beyond one an event. */
  readonly copies: number;
  readonly mapping: MappingProgress;
  /** Of all that its stream holds. */
  readonly computed: BatchResult;
  /** Its tables against that, and its stream against what was derived for it. */
  readonly comparison: Comparison;
}

/** What came to a stage, as it is computed. */
export interface Feeding {
  /** The run's pipelines that feed it; in a cloud that was kept others may have, too. */
  readonly feeders: readonly string[];
  /** What their batch computations derive for it. */
  readonly derived: readonly BatchDerived[];
}

const POLL_MS = 200;

interface StageParts {
  readonly options: FedStageOptions;
  readonly program: Program;
  readonly deployment: Deployment;
  readonly streamArn: string;
  readonly epoch: string;
  readonly driver: MappingDriver;
}

/**
 * A pipeline that others feed, in a local run: drives its function, and compares its tables.
 *
 * Its results hang on the order in which its stream took what several partitions sent at the same time.
 * So they are compared with a batch computation over what its stream holds, in that order; and what the
 * stream holds with what the batch computation of the feeding pipelines derived.
 */
export class FedStage {
  readonly #parts: StageParts;
  #records: readonly StreamRecord[] = [];

  private constructor(parts: StageParts) {
    this.#parts = parts;
  }

  /** Starts the mapping where the last run into this stream ended; it ends with the signal. */
  static async start(options: FedStageOptions): Promise<FedStage> {
    const { cloud, folder, directory, signal } = options;
    const { clients } = cloud;
    const program = compile(folder.pipeline, folder.references, {
      makeDecoder: folder.decoder.make,
    });
    const deployment = await readDeployment(clients, folder.name);
    const mapping = await readMapping(clients.lambda, deployment.mappingId);
    const { streamArn } = mapping;
    const stream = makeAwsStream({ client: clients.kinesis, streamArn, clock: systemClock });
    const epoch = epochOf(await stream.identify({ deadlineMs: Date.now() + 10_000 }));
    const driver = await startDriver(
      { clients, deployment },
      {
        mapping,
        checkpoints: readHistory(directory, epoch).checkpoints,
        signal,
      },
    );
    return new FedStage({ options, program, deployment, streamArn, epoch, driver });
  }

  get name(): string {
    return this.#parts.program.name;
  }

  progress(): MappingProgress {
    return this.#parts.driver.progress();
  }

  /** Waits until all that its stream holds now is finished. @throws CommandError when nothing moves */
  async finish(): Promise<void> {
    const { options, driver, streamArn, epoch } = this.#parts;
    const { cloud, directory, signal } = options;
    this.#records = await readStream(cloud.clients.kinesis, streamArn);
    const last = new Map(this.#records.map(({ shard, sequence }) => [shard, sequence]));
    const stuck = new StuckWatch();
    while (![...last].every(([shard, sequence]) => driver.isFinishedUpTo(shard, sequence))) {
      stuck.check(driver.progress(), false);
      await delay(POLL_MS, undefined, { signal });
    }
    writeHistory(directory, epoch, { runs: [], checkpoints: driver.checkpoints() });
  }

  /** The batch computation over what its stream holds. */
  compute(): BatchResult {
    const { options, program } = this.#parts;
    const batch = new BatchComputation(options.folder.pipeline, program);
    for (const { bytes, partitionKey, arrivalMs } of this.#records) {
      batch.add({ bytes, lane: partitionKey, arrivalMs });
    }
    return batch.result();
  }

  /** Compares its tables, and what came into its stream from the pipelines of this run. */
  async verify({ feeders, derived }: Feeding): Promise<StageVerdict> {
    const { options, program, deployment, epoch, driver } = this.#parts;
    const computed = this.compute();
    const source = { client: options.cloud.clients.dynamoDb, deployment, program, epoch };
    const { cells, differences } = compareResults(await readStored(source), computed);
    const { partitions } = program.settings;
    const records = this.#records.filter((record) => isFrom(feeders, record));
    const sent = compareDerived(records, derived, Number(partitions));
    return {
      pipeline: this.name,
      events: derived.length,
      copies: records.length - derived.length,
      mapping: driver.progress(),
      computed,
      comparison: { cells, differences: [...sent, ...differences] },
    };
  }
}

function isFrom(feeders: readonly string[], { bytes }: StreamRecord): boolean {
  const { source } = JSON.parse(Buffer.from(bytes).toString());
  return isDerivedBy(feeders, String(source));
}
