import { compile } from '../../src/core/compile.ts';
import type { Feed } from '../../src/core/feed.ts';
import type { Program } from '../../src/core/program.ts';
import type { FeedEvent } from '../../src/local/feed/events.ts';
import { runEvents } from '../../src/local/feed/source.ts';
import { loadFeed, loadPipeline } from '../../src/project/discover.ts';

const ROOT = `${import.meta.dirname}/../..`;

/** The first real flights in their order, as `npm start` sends them at the given time, and their program. */
export async function loadFlights(
  count: number,
  nowMs: number,
): Promise<{ readonly program: Program; readonly events: readonly FeedEvent[] }> {
  const folder = await loadPipeline(ROOT, 'flights');
  const feed = (await loadFeed(folder)) as Feed<unknown>;
  const program = compile(folder.pipeline, folder.references, { makeDecoder: folder.decoder.make });
  const spec = {
    pipeline: 'flights',
    run: 'bench',
    events: count,
    nowMs,
    badPercent: 0,
    duplicatePercent: 0,
    seed: 1,
  };
  const { events } = await runEvents(spec, { folder, feed, program });
  return { program, events: [...events] };
}
