import { makeSeededRandom } from '../../adapters/memory/random.ts';
import type { Feed } from '../../core/feed.ts';
import type { Program } from '../../core/program.ts';
import type { PipelineFolder } from '../../project/discover.ts';
import type { RunSpec } from '../history.ts';
import { type FeedEvent, makeEventMaker } from './events.ts';
import { spoiledEvents } from './spoil.ts';
import { readTimedRows, type TimedRow } from './timed-rows.ts';

/** What a run sends. */
export interface RunEvents {
  /** Rows, each of which makes one event; repeats come on top. */
  readonly count: number;
  readonly events: Iterable<FeedEvent>;
}

/** What events are made of. */
export interface EventSource {
  readonly folder: PipelineFolder;
  readonly feed: Feed<unknown>;
  readonly program: Program;
}

/** The events of a run: the same spec gives the same bytes. */
export async function runEvents(spec: RunSpec, source: EventSource): Promise<RunEvents> {
  const { folder, feed } = source;
  const { events: limit, nowMs } = spec;
  const rows = await readTimedRows({ feed, directory: folder.directory, limit, nowMs });
  return eventsOf(rows, spec, source);
}

/** The same of rows that are read already. */
export function eventsOf(rows: readonly TimedRow[], spec: RunSpec, source: EventSource): RunEvents {
  const { folder, feed, program } = source;
  const maker = makeEventMaker({ feed, program, run: spec.run, idField: folder.pipeline.id });
  const random = makeSeededRandom(spec.seed);
  const events = spoiledEvents(rows, { ...spec, program, maker, random });
  return { count: rows.length, events };
}
