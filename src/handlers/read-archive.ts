import { type ArchiveGap, compareStarts, gapBefore, meets } from '../core/archive-coverage.ts';
import {
  type ArchivedRecord,
  type ArchiveObject,
  archiveObjectKey,
  hourOf,
} from '../core/archive-object.ts';
import type { ArchiveTail } from '../core/archive-tail.ts';
import { InvariantError } from '../core/errors.ts';
import { compareSequences } from '../core/position.ts';
import { epochStartMs } from '../core/writer.ts';
import { unpackArchive } from './archive-bytes.ts';
import { type CallContext, listFromHour, listHours, listShardHour } from './list-archive.ts';
import type { ReadArchivePorts } from './ports.ts';
import { retryCall } from './retry.ts';

/**
 * Reads the archive back: each record of a shard once, in the order of positions, whatever the
 * boundaries of the objects and however often they overlap.
 *
 * Boundary: says where something is missing; what that means is the caller's.
 *
 * Invariants
 * 1. In memory are the names of two hours of one shard, and the records of one object.
 * 2. No record is left out without a gap that says so.
 */

/** Arrival times, milliseconds since 1970 UTC; `toMs` itself is left out. */
export interface ArchiveRange {
  readonly fromMs: number;
  readonly toMs: number;
}

/** A shard of which there are objects. */
export interface ArchivedShard {
  readonly epoch: string;
  readonly shard: number;
  /** The hours in which it has some, ascending. */
  readonly hours: readonly number[];
}

/** What a reading is told besides the records. */
export interface ReadOptions {
  /** Called before the first record after the gap. */
  readonly onGap: (gap: ArchiveGap) => void;
  /** A record of the shard that was read before: goes on after it. */
  readonly resume?: Pick<ArchivedRecord, 'sequence' | 'arrivalMs'> | undefined;
}

/** A reader of an archive. */
export interface ArchiveReader {
  /**
   * The shards that have objects within the range or an hour around it; those of an older epoch first,
   * parents before their children. Lists every object of the range.
   * @throws TransientError
   */
  shards(range: ArchiveRange): Promise<readonly ArchivedShard[]>;
  /**
   * The records of a shard that arrived within the range, in the order of positions, each once. A
   * range without any object, the hour before and after included, tells of no gap.
   * @throws TransientError; InvariantError when an object is damaged
   */
  records(
    shard: ArchivedShard,
    range: ArchiveRange,
    options: ReadOptions,
  ): AsyncGenerator<ArchivedRecord, void>;
  /**
   * The same, up to a tail and no further: everything up to there was durable when the tail was read, so no
   * list made after that can miss an object, and the archive's first and last record are held against it.
   * What is written meanwhile waits for the next reading.
   * @throws TransientError; InvariantError when an object is damaged
   */
  recordsThrough(
    tail: ArchiveTail,
    range: ArchiveRange,
    options: ReadOptions,
  ): AsyncGenerator<ArchivedRecord, void>;
}

/** Longest wait for one object or list, tries included, milliseconds. */
const CALL_MS = 60_000;

const HOUR_MS = 3_600_000;

/**
 * Makes a reader.
 *
 * @example
 * const reader = makeReadArchive({ clock, random, archive });
 * for (const shard of await reader.shards(range)) {
 *   for await (const record of reader.records(shard, range, { onGap })) { ... }
 * }
 */
export function makeReadArchive(ports: ReadArchivePorts): ArchiveReader {
  const { clock, random } = ports;
  const context: CallContext = () => ({ clock, random, deadlineMs: clock.now() + CALL_MS });
  return {
    shards: (range) => findShards(ports, around(range), context),
    records: (shard, range, options) => readShard({ ports, context, shard, range, options }),
    recordsThrough: (tail, range, options) => {
      const { fromMs, toMs } = around(listedFrom(range, options));
      const lastMs = Math.min(toMs, hourOf(tail.lastArrivalMs) + HOUR_MS);
      const hours = listHours(ports.archive, { ...tail, fromMs, toMs: lastMs }, context);
      const shard = { epoch: tail.epoch, shard: tail.shard, hours };
      return readShard({ ports, context, shard, range, options, tail });
    },
  };
}

/** Of what was read before, the last hour is looked at again: objects overlap. */
function listedFrom({ fromMs, toMs }: ArchiveRange, { resume }: ReadOptions): ArchiveRange {
  return { fromMs: Math.max(fromMs, resume?.arrivalMs ?? fromMs), toMs };
}

/**
 * The hours of a range and one more on both sides: arrival times may go back by moments, so the order
 * of positions can cross the hour.
 */
function around({ fromMs, toMs }: ArchiveRange): ArchiveRange {
  return { fromMs: hourOf(fromMs) - HOUR_MS, toMs: hourOf(toMs - 1) + HOUR_MS };
}

async function findShards(
  { archive }: ReadArchivePorts,
  { fromMs, toMs }: ArchiveRange,
  context: CallContext,
): Promise<readonly ArchivedShard[]> {
  const found = new Map<string, { epoch: string; shard: number; hours: number[] }>();
  for await (const { epoch, shard, hourMs } of listFromHour(archive, fromMs, context)) {
    if (hourMs > toMs) break;
    const name = `${epoch} ${shard}`;
    const known = found.get(name) ?? { epoch, shard, hours: [] };
    if (known.hours.at(-1) !== hourMs) known.hours.push(hourMs);
    found.set(name, known);
  }
  return [...found.values()].sort(
    (left, right) =>
      epochStartMs(left.epoch) - epochStartMs(right.epoch) || left.shard - right.shard,
  );
}

interface Reading {
  readonly ports: ReadArchivePorts;
  readonly context: CallContext;
  readonly shard: Omit<ArchivedShard, 'hours'> & {
    readonly hours: Iterable<number> | AsyncIterable<number>;
  };
  readonly range: ArchiveRange;
  readonly options: ReadOptions;
  /** Where it ends; undefined: with what is listed. */
  readonly tail?: ArchiveTail;
}

async function* readShard(reading: Reading): AsyncGenerator<ArchivedRecord, void> {
  const { range, options, tail } = reading;
  const progress = new Progress(options.resume?.sequence);
  for await (const object of inOrder(reading)) {
    if (isBehind(object.first, tail)) continue;
    const { reached, previous } = progress;
    if (reached === undefined) tellMissingStart(reading, object);
    const gap = progress.take(object);
    if (gap !== undefined && touches([previous ?? object, object], range)) options.onGap(gap);
    if (progress.reached === reached || !touches([object], range)) continue;
    const isNew = ({ sequence }: ArchivedRecord) =>
      (reached === undefined || compareSequences(sequence, reached) > 0) &&
      !isBehind(sequence, tail);
    const records = await open(reading, object);
    yield* records.filter((record) => isNew(record) && within(record, range));
  }
  tellMissingEnd(reading, progress.reached);
}

function isBehind(sequence: string, tail: ArchiveTail | undefined): boolean {
  return tail !== undefined && compareSequences(sequence, tail.last) > 0;
}

/** The first record of all is known, and in the range, and the first object begins after it. */
function tellMissingStart({ tail, range, options }: Reading, object: ArchiveObject): void {
  if (tail === undefined || tail.firstArrivalMs < range.fromMs) return;
  if (compareSequences(object.first, tail.first) > 0) {
    options.onGap({ after: undefined, until: object.first, certain: false });
  }
}

/** The last record is known, and in the range, and no object reaches as far. */
function tellMissingEnd({ tail, range, options }: Reading, reached: string | undefined): void {
  if (tail === undefined || !within({ arrivalMs: tail.lastArrivalMs }, range)) return;
  if (reached !== undefined && compareSequences(reached, tail.last) >= 0) return;
  options.onGap({ after: reached, until: tail.last, certain: true });
}

/** The objects of a shard by where they start. */
async function* inOrder({
  ports,
  context,
  shard,
  range,
  options,
}: Reading): AsyncGenerator<ArchiveObject, void> {
  const { fromMs, toMs } = around(listedFrom(range, options));
  let waiting: ArchiveObject[] = [];
  for await (const hourMs of shard.hours) {
    if (hourMs < fromMs || hourMs > toMs) continue;
    for await (const object of listShardHour(ports.archive, { ...shard, hourMs }, context)) {
      waiting.push(object);
    }
    waiting.sort(compareStarts);
    // What an hour's last objects stand behind may still come with the hour after it.
    const ready = waiting.findLastIndex((object) => object.hourMs < hourMs) + 1;
    yield* waiting.slice(0, ready);
    waiting = waiting.slice(ready);
  }
  yield* waiting;
}

/**
 * How far the objects of a shard reach, one after the other.
 *
 * Invariant: what was passed over stays passed over. An object that holds some of it throws.
 */
class Progress {
  readonly #gaps: ArchiveGap[] = [];
  #start: string | undefined;
  /** The last record of all objects taken. */
  reached: string | undefined;
  /** The object that reaches furthest. */
  previous: ArchiveObject | undefined;

  /** @param reached the last record that was read before */
  constructor(reached: string | undefined) {
    this.reached = reached;
  }

  /** Takes an object; gives the gap in front of it, if there is one. */
  take(object: ArchiveObject): ArchiveGap | undefined {
    this.#start ??= object.first;
    const isLate = compareSequences(object.first, this.#start) < 0;
    if (isLate || this.#gaps.some((gap) => isWithin(object, gap))) throw tooLate(object);
    const { reached } = this;
    if (reached !== undefined && compareSequences(object.last, reached) <= 0) return undefined;
    this.reached = object.last;
    this.previous = object;
    if (reached === undefined || meets({ last: reached }, object)) return undefined;
    const gap = gapBefore(reached, object);
    this.#gaps.push(gap);
    return gap;
  }
}

function isWithin(object: ArchiveObject, { after = '0', until, certain }: ArchiveGap): boolean {
  const order = compareSequences(object.first, until);
  return compareSequences(object.last, after) > 0 && (certain ? order <= 0 : order < 0);
}

function tooLate(object: ArchiveObject): InvariantError {
  return new InvariantError(
    `archive object ${archiveObjectKey(object)}: got records from before those of an earlier hour, expected arrival times of a shard to go back by less than an hour`,
  );
}

async function open(
  { ports, context }: Reading,
  object: ArchiveObject,
): Promise<readonly ArchivedRecord[]> {
  const key = archiveObjectKey(object);
  const call = context();
  const bytes = await retryCall(call, () => ports.archive.get(key, call));
  if (bytes !== undefined) return unpackArchive(object, bytes);
  throw new InvariantError(
    `archive object ${key}: got nothing, expected it, as it was listed a moment ago; was it deleted while it was read?`,
  );
}

/** True unless all of the objects are before the range's hours, or all behind. */
function touches(objects: readonly ArchiveObject[], { fromMs, toMs }: ArchiveRange): boolean {
  const isBefore = objects.every(({ hourMs }) => hourMs + HOUR_MS <= fromMs);
  return !isBefore && !objects.every(({ hourMs }) => hourMs >= toMs);
}

function within(
  { arrivalMs }: Pick<ArchivedRecord, 'arrivalMs'>,
  { fromMs, toMs }: ArchiveRange,
): boolean {
  return arrivalMs >= fromMs && arrivalMs < toMs;
}
