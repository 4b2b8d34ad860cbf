import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { compile } from '../core/compile.ts';
import type { Feed } from '../core/feed.ts';
import { explicitHashKey, partitionKey } from '../core/partition.ts';
import { loadFeed, loadPipeline, type PipelineFolder } from '../project/discover.ts';
import { readTemplate, type TemplateConsumer } from './deployed-mapping.ts';
import type { FeedEvent } from './feed/events.ts';
import { eventsOf } from './feed/source.ts';
import { readTimedRows } from './feed/timed-rows.ts';
import { CommandError, EXIT } from './local-error.ts';
import { ROOT, STATE } from './paths.ts';
import { computeTemplate, synthesise } from './stacks.ts';

/** An event with the keys that a producer gives it. */
export interface TimedEvent {
  readonly atMs: number;
  readonly partitionKey: string;
  readonly explicitHashKey?: string;
  readonly bytes: Uint8Array;
}

/** Everything of a pipeline that a simulation needs, besides its mapping. */
export interface SimulationSource {
  readonly folder: PipelineFolder;
  /** When the simulated time starts, milliseconds since 1970 UTC. */
  readonly startMs: number;
  /** The events of one seed: some broken, some repeated. */
  events(seed: number): readonly TimedEvent[];
}

/** A fixed day, so that the same seed gives the same trace on every day. */
const START_MS = Date.UTC(2026, 0, 15, 12);
const INTERVAL_MS = 100;
const BAD_PERCENT = 10;
const DUPLICATE_PERCENT = 5;

/**
 * Reads a pipeline's mapping and its function's time-out from the template that a deployment would have.
 *
 * @param signal ends the synthesis
 */
export async function readDeployed(
  pipeline: string,
  signal: AbortSignal,
): Promise<TemplateConsumer> {
  const directory = path.join(STATE, 'simulate');
  mkdirSync(directory, { recursive: true });
  const deploy = { pipeline, directory, endpoint: 'http://127.0.0.1:9', signal };
  await synthesise(deploy);
  return readTemplate(readFileSync(computeTemplate(deploy), 'utf8'));
}

/**
 * Loads a pipeline with the first rows of its feed.
 *
 * @param count events of a schedule, repeats left out
 * @throws CommandError where the pipeline has no feed
 */
export async function loadSimulation(pipeline: string, count: number): Promise<SimulationSource> {
  const folder = await loadPipeline(ROOT, pipeline);
  const feed = (await loadFeed(folder)) as Feed<unknown> | undefined;
  const program = compile(folder.pipeline, folder.references);
  const { partitions } = program.settings;
  if (feed === undefined) {
    throw new CommandError(`Pipeline ${pipeline} can't be simulated`, {
      exitCode: EXIT.usage,
      detail: 'got no feed.ts, expected one: it says what the events are',
      next: 'see docs/SIMULATION.md',
    });
  }
  const rows = await readTimedRows({
    feed,
    directory: folder.directory,
    limit: count,
    nowMs: START_MS,
  });
  return {
    folder,
    startMs: START_MS,
    events: (seed) => {
      const spec = {
        pipeline,
        run: `seed-${seed}`,
        events: count,
        nowMs: START_MS,
        badPercent: BAD_PERCENT,
        duplicatePercent: DUPLICATE_PERCENT,
        seed,
      };
      const events = [...eventsOf(rows, spec, { folder, feed, program }).events];
      return events.map((event, index) => timed(event, index, partitions));
    },
  };
}

function timed(
  { bytes, partition = 0, key }: FeedEvent,
  index: number,
  partitions: number | 'shard',
): TimedEvent {
  const atMs = START_MS + index * INTERVAL_MS;
  if (partitions === 'shard') return { atMs, partitionKey: key || 'none', bytes };
  return {
    atMs,
    partitionKey: partitionKey(partition),
    explicitHashKey: explicitHashKey(partition, partitions),
    bytes,
  };
}
