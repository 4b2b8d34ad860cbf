import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { makeSeededRandom } from '../adapters/memory/random.ts';
import { compile } from '../core/compile.ts';
import type { Feed } from '../core/feed.ts';
import { explicitHashKey, partitionKey } from '../core/partition.ts';
import type { Program } from '../core/program.ts';
import { loadFeed, loadPipeline, type PipelineFolder } from '../project/discover.ts';
import { readTemplate, type TemplateConsumer } from './deployed-mapping.ts';
import { type EventMaker, type FeedEvent, makeEventMaker } from './feed/events.ts';
import { makeFedEventMaker, readFedRows } from './feed/fed-events.ts';
import type { EventSource } from './feed/source.ts';
import { spoiledEvents } from './feed/spoil.ts';
import { readTimedRows, type TimedRow } from './feed/timed-rows.ts';
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
 * Loads a pipeline with the first rows of its feed, or with what those of a pipeline that feeds it give.
 *
 * @param count events of a schedule, repeats left out
 * @throws CommandError where neither has a feed
 */
export async function loadSimulation(pipeline: string, count: number): Promise<SimulationSource> {
  const folder = await loadPipeline(ROOT, pipeline);
  const program = compile(folder.pipeline, folder.references, { makeDecoder: folder.decoder.make });
  const { partitions } = program.settings;
  const { rows, makerOf } = await loadRows(folder, program, count);
  return {
    folder,
    startMs: START_MS,
    events: (seed) => {
      const events = spoiledEvents(rows, {
        program,
        maker: makerOf(`seed-${seed}`),
        nowMs: START_MS,
        badPercent: BAD_PERCENT,
        duplicatePercent: DUPLICATE_PERCENT,
        random: makeSeededRandom(seed),
      });
      return [...events].map((event, index) => timed(event, index, partitions));
    },
  };
}

/** Rows of a feed, and how a run makes events of them. */
interface Rows {
  readonly rows: readonly TimedRow[];
  readonly makerOf: (run: string) => EventMaker;
}

async function loadRows(folder: PipelineFolder, program: Program, count: number): Promise<Rows> {
  const feed = (await loadFeed(folder)) as Feed<unknown> | undefined;
  if (feed !== undefined) {
    const { directory, pipeline } = folder;
    const rows = await readTimedRows({ feed, directory, limit: count, nowMs: START_MS });
    return {
      rows,
      makerOf: (run) => makeEventMaker({ feed, program, run, idField: pipeline.id }),
    };
  }
  const feeder = await firstFeeder(folder);
  const source = { feeder, fed: program, nowMs: START_MS };
  return {
    rows: await readFedRows(source, count),
    makerOf: (run) => makeFedEventMaker(source, run),
  };
}

/** The first of the pipelines that feed it which has a feed of its own. */
async function firstFeeder({ name, pipeline }: PipelineFolder): Promise<EventSource> {
  for (const feeder of pipeline.fedBy) {
    const folder = await loadPipeline(ROOT, feeder);
    const feed = (await loadFeed(folder)) as Feed<unknown> | undefined;
    if (feed !== undefined) {
      return {
        folder,
        feed,
        program: compile(folder.pipeline, folder.references, { makeDecoder: folder.decoder.make }),
      };
    }
  }
  throw new CommandError(`Pipeline ${name} can't be simulated`, {
    exitCode: EXIT.usage,
    detail: 'got no feed.ts, expected one in its folder or in that of a pipeline that feeds it',
    next: 'see docs/SIMULATION.md',
  });
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
