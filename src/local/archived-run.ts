import { setTimeout as delay } from 'node:timers/promises';
import { makeAwsBucket } from '../adapters/aws/bucket.ts';
import { systemClock } from '../adapters/aws/clock.ts';
import { ARCHIVE_PREFIX } from '../core/contract.ts';
import type { Bucket } from '../ports/bucket.ts';
import type { Cloud } from './cloud.ts';
import { readMapping } from './deployed-mapping.ts';
import { CommandError, EXIT } from './local-error.ts';
import type { MappingDriver, MappingObserver } from './mapping-driver.ts';
import { keysOf, type TakenEvent } from './producer.ts';
import type { ArchiveDeployment } from './stacks.ts';
import { startDriver } from './start-driver.ts';
import { type ArchiveVerdict, SentRecords, verifyArchive } from './verify-archive.ts';

/** What the archive of a run is made with. */
export interface ArchivedRunOptions {
  readonly cloud: Cloud;
  readonly archive: ArchiveDeployment;
  readonly partitions: number | 'shard';
  readonly epoch: string;
  /** Where earlier runs into the same stream have ended. */
  readonly checkpoints: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** Told of what the archiver's mapping did. */
  readonly observer: MappingObserver;
}

/** A verdict and where the archive is, such as `s3://bucket/archive/v1/`. */
export interface LocatedVerdict extends ArchiveVerdict {
  readonly where: string;
}

/**
 * The longest that records are collected for an object, milliseconds: with the deployed window, a run
 * would wait for its end. The one setting of the mapping that is not the deployed one.
 */
const WINDOW_MS_MAX = 2_000;

const POLL_MS = 100;

/** How long nothing may move before it gives up, milliseconds. */
const STUCK_MS = 60_000;

/** Drives the archiver beside the consumer, and at the end reads its archive back. */
export class ArchivedRun {
  readonly #options: ArchivedRunOptions;
  readonly #driver: MappingDriver;
  readonly #bucket: Bucket;
  readonly #startMs = Date.now();
  readonly #sent = new SentRecords();
  /** The last record that each shard took. */
  readonly #last = new Map<string, string>();

  private constructor(options: ArchivedRunOptions, driver: MappingDriver, bucket: Bucket) {
    this.#options = options;
    this.#driver = driver;
    this.#bucket = bucket;
  }

  /** Starts archiving; ends with the signal. */
  static async start(options: ArchivedRunOptions): Promise<ArchivedRun> {
    const { cloud, archive, checkpoints, signal, observer } = options;
    const { lambda, s3 } = cloud.clients;
    const deployed = await readMapping(lambda, archive.mappingId);
    const windowMs = Math.min(deployed.settings.windowMs, WINDOW_MS_MAX);
    const mapping = { ...deployed, settings: { ...deployed.settings, windowMs } };
    const driver = await startDriver(cloud, { mapping, checkpoints, signal, observer });
    const bucket = makeAwsBucket({ client: s3, bucketName: archive.bucket, clock: systemClock });
    return new ArchivedRun(options, driver, bucket);
  }

  /** Remembers what the stream took. */
  take(taken: readonly TakenEvent[]): void {
    for (const { event, shard, sequence } of taken) {
      const { partitionKey } = keysOf(event, this.#options.partitions);
      this.#sent.add({ shard, sequence, partitionKey, bytes: event.bytes });
      this.#last.set(shard, sequence);
    }
  }

  /** Waits until everything that was taken is archived. @throws CommandError when nothing moves */
  async finish(): Promise<void> {
    let [before, sinceMs] = [-1, Date.now()];
    while (![...this.#last].every(([shard, last]) => this.#driver.isFinishedUpTo(shard, last))) {
      const { processed, lastFailure } = this.#driver.progress();
      if (processed !== before) [before, sinceMs] = [processed, Date.now()];
      if (Date.now() - sinceMs > STUCK_MS) throw stuck(processed, lastFailure);
      await delay(POLL_MS, undefined, { signal: this.#options.signal });
    }
  }

  /** Where the next run goes on. */
  checkpoints(): Readonly<Record<string, string>> {
    return this.#driver.checkpoints();
  }

  /** Reads the run's archive back and compares it with what was sent. */
  async verify(): Promise<LocatedVerdict> {
    const { epoch, archive } = this.#options;
    const run = { epoch, startMs: this.#startMs };
    const verdict = await verifyArchive(this.#bucket, this.#sent, run);
    return { where: `s3://${archive.bucket}/${ARCHIVE_PREFIX}`, ...verdict };
  }
}

function stuck(processed: number, lastFailure: string | undefined): CommandError {
  return new CommandError('The archiver does not move', {
    exitCode: EXIT.refused,
    detail: `got ${processed} records archived and nothing new for ${STUCK_MS / 1000} s (last failure: ${lastFailure ?? 'none'}), expected all that were sent`,
    next: 'look at the function’s log lines in .millrace/local/emulator.log, or run again with --keep and read its log group',
  });
}
