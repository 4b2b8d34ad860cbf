import { type ArchiveGap, gapsOf } from '../core/archive-coverage.ts';
import { type ArchiveObject, hourOf } from '../core/archive-object.ts';
import type { ArchiveTail } from '../core/archive-tail.ts';
import { compareSequences } from '../core/position.ts';
import type { ProgramSettings } from '../core/program.ts';
import { epochOf } from '../core/writer.ts';
import { readTails, renewTail } from './archive-tails.ts';
import { listFromHour } from './list-archive.ts';
import type { CheckArchivePorts, Invocation } from './ports.ts';
import { type RetryContext, retryCall } from './retry.ts';

/** A gap and whose it is. */
export interface ShardGap extends ArchiveGap {
  readonly shard: number;
}

/** What a check found. */
export interface CheckArchiveReport {
  /** Shards with something archived. */
  shards: number;
  objects: number;
  gapCount: number;
  /** The first of them; at most 20. */
  gaps: ShardGap[];
  /** Age of the oldest record that is not archived, milliseconds; 0 when there is none. */
  lagMs: number;
  /** Shards of which it is now known again that nothing came. */
  renewed: number;
  /** Shards of which the stream didn't tell in time. */
  unknown: number;
}

/** Checks what the archiver did. */
export type CheckArchive = (invocation: Invocation) => Promise<CheckArchiveReport>;

const HOUR_MS = 3_600_000;

/** How far back it looks at most, milliseconds; a listing costs a request for each thousand objects. */
const LOOK_BACK_MS_MAX = 7 * 24 * HOUR_MS;

/** A shard whose tail is as fresh isn't asked: each question is five reads a second and shard less for the functions. */
const FRESH_MS = HOUR_MS / 2;

const GAPS_SHOWN = 20;

/**
 * Makes the function that looks, from time to time, whether everything that must be archived is: what
 * the objects' names cover against the tails, as far back as the stream could still help. It also asks
 * the stream about shards whose tail is old: either the archiver lags, or nothing came, which is noted
 * in the tail, so that the next object can say what it follows.
 */
export function makeCheckArchive(
  ports: CheckArchivePorts,
  settings: ProgramSettings,
): CheckArchive {
  return async (invocation) => {
    const { clock, random } = ports;
    const context = { clock, random, deadlineMs: invocation.deadlineMs - 500 };
    const epoch = epochOf(await retryCall(context, () => ports.stream.identify(context)));
    // Before the listing: what a tail covers was durable when it was read, and is therefore listed.
    const tails = await readTails(ports.ledger, epoch, context);
    const report: CheckArchiveReport = {
      shards: tails.length,
      objects: 0,
      gapCount: 0,
      gaps: [],
      lagMs: 0,
      renewed: 0,
      unknown: 0,
    };
    await findGaps({ ports, settings, context, report }, tails);
    await askStream({ ports, settings, context, report }, tails);
    return report;
  };
}

interface Check {
  readonly ports: CheckArchivePorts;
  readonly settings: ProgramSettings;
  readonly context: RetryContext;
  readonly report: CheckArchiveReport;
}

async function findGaps(check: Check, tails: readonly ArchiveTail[]): Promise<void> {
  const { ports, settings, context, report } = check;
  const backMs = Math.min(settings.retention.streamMs + 2 * HOUR_MS, LOOK_BACK_MS_MAX);
  const fromMs = hourOf(ports.clock.now() - backMs);
  const [epoch] = tails.map((tail) => tail.epoch);
  const objects = new Map<number, ArchiveObject[]>();
  // One hour more: at the edge, objects may lack what they follow because times go back by moments.
  for await (const object of listFromHour(ports.archive, fromMs - HOUR_MS, () => context)) {
    if (object.epoch !== epoch) continue;
    report.objects += 1;
    const known = objects.get(object.shard);
    if (known === undefined) objects.set(object.shard, [object]);
    else known.push(object);
  }
  for (const tail of tails) {
    const gaps = shardGaps(tail, objects.get(tail.shard) ?? [], fromMs);
    report.gapCount += gaps.length;
    const room = GAPS_SHOWN - report.gaps.length;
    report.gaps.push(...gaps.slice(0, room).map((gap) => ({ shard: tail.shard, ...gap })));
  }
}

/**
 * The gaps of a shard since a time. At the edge of what was listed, what an object follows may be in the
 * hour before: of gaps that end before the first object since then, an earlier check told.
 */
function shardGaps(
  tail: ArchiveTail,
  objects: readonly ArchiveObject[],
  fromMs: number,
): readonly ArchiveGap[] {
  const startsHere = tail.firstArrivalMs >= fromMs;
  const endsHere = tail.lastArrivalMs >= fromMs;
  const gaps = gapsOf(objects, {
    first: startsHere ? tail.first : undefined,
    last: endsHere ? tail.last : undefined,
  });
  const [start] = objects
    .filter(({ hourMs }) => hourMs >= fromMs)
    .map(({ first }) => first)
    .sort(compareSequences);
  const isHere = (until: string) => start !== undefined && compareSequences(until, start) >= 0;
  return gaps.filter(
    ({ until }) => startsHere || isHere(until) || (endsHere && until === tail.last),
  );
}

async function askStream(check: Check, tails: readonly ArchiveTail[]): Promise<void> {
  const { ports, context, report } = check;
  const byShard = new Map(tails.map((tail) => [tail.shard, tail]));
  for (const shard of await retryCall(context, () => ports.shards.list(context))) {
    const tail = byShard.get(shard);
    const askedMs = ports.clock.now();
    if (tail !== undefined && askedMs - tail.knownMs < FRESH_MS) continue;
    const next = await retryCall(context, () => ports.shards.next(shard, tail?.last, context));
    if (next.type === 'record') report.lagMs = Math.max(report.lagMs, askedMs - next.arrivalMs);
    if (next.type === 'unknown') report.unknown += 1;
    if (next.type !== 'none' || tail === undefined) continue;
    const known = { ...context, knownMs: askedMs };
    if (await renewTail(ports.ledger, tail, known)) report.renewed += 1;
  }
}
