import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { compile } from '../core/compile.ts';
import type { Feed } from '../core/feed.ts';
import { explicitHashKey, partitionKey } from '../core/partition.ts';
import type { Program } from '../core/program.ts';
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

/** Everything of a pipeline that a simulation needs. */
export interface SimulationSource extends TemplateConsumer {
  readonly folder: PipelineFolder;
  readonly program: Program;
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
 * Loads a pipeline with its feed, and reads its mapping from the template that a deployment would have.
 *
 * @throws CommandError where the pipeline has no feed or writers that are shards
 */
export async function loadSimulation(
  pipeline: string,
  count: number,
  signal: AbortSignal,
): Promise<SimulationSource> {
  const folder = await loadPipeline(ROOT, pipeline);
  const feed = await loadFeed(folder);
  const program = compile(folder.pipeline, folder.references);
  const { partitions } = program.settings;
  if (feed === undefined || partitions === 'shard') {
    throw new CommandError(`Pipeline ${pipeline} can't be simulated`, {
      exitCode: EXIT.usage,
      detail: `got ${feed === undefined ? 'no feed.ts' : "partitions 'shard'"}, expected a feed and a number of partitions`,
      next: 'see docs/SIMULATION.md',
    });
  }
  const directory = path.join(STATE, 'simulate');
  mkdirSync(directory, { recursive: true });
  const deploy = { pipeline, directory, endpoint: 'http://127.0.0.1:9', signal };
  await synthesise(deploy);
  const source = { folder, feed: feed as Feed<unknown>, program };
  const rows = await readTimedRows({
    feed: source.feed,
    directory: folder.directory,
    limit: count,
    nowMs: START_MS,
  });
  return {
    ...readTemplate(readFileSync(computeTemplate(deploy), 'utf8')),
    folder,
    program,
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
      return [...eventsOf(rows, spec, source).events].map((event, index) =>
        timed(event, index, partitions),
      );
    },
  };
}

function timed({ bytes, partition = 0 }: FeedEvent, index: number, partitions: number): TimedEvent {
  return {
    atMs: START_MS + index * INTERVAL_MS,
    partitionKey: partitionKey(partition),
    explicitHashKey: explicitHashKey(partition, partitions),
    bytes,
  };
}
