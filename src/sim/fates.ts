import type { BatchVersion } from '../batch/batch.ts';
import { partitionOfKey } from '../core/partition.ts';
import { sortablePosition } from '../core/position.ts';
import type { Program } from '../core/program.ts';
import { partitionWriter, shardWriter, strayWriter } from '../core/writer.ts';
import type { MappingDiscard } from '../mapping/engine.ts';
import type { Reference } from './reference.ts';
import type { SimPayload } from './shard-reader.ts';
import type { SimRecord, SimStream, SimUnit } from './stream.ts';
import { positionOf } from './watch.ts';
import type { SimWorld } from './world.ts';

/** What the end is checked with. */
export interface EndState {
  readonly world: SimWorld;
  /** The versions of the pipeline and the arrivals from which they decide, in the order of these. */
  readonly versions: readonly (BatchVersion & { readonly fromMs: number })[];
  readonly program: Program;
  readonly stream: SimStream;
  /** Of each incarnation of the stream. */
  readonly epochs: readonly string[];
  /** Events that the ledger says are done. */
  readonly done: ReadonlySet<SimUnit>;
  /** Records that the retention took before they were read. */
  readonly trimmed: readonly SimRecord[];
  /** Records that the mapping is not made for. */
  readonly unwanted: readonly SimRecord[];
  /** What the mapping gave up, and whether the schedule says that it may. */
  readonly discards: readonly MappingDiscard<SimPayload>[];
  readonly mayGiveUp: boolean;
  /** Whether the results over all writers are computed too: they cost as much again. */
  readonly comparesMerged: boolean;
  /** Whether the closer ran until everything was final. */
  readonly closes: boolean;
  /** Records that a run was given. */
  readonly delivered: ReadonlySet<SimRecord>;
  /** How many runs each record was in that failed. */
  readonly failedRuns: ReadonlyMap<SimRecord, number>;
}

/**
 * Where an event is in the end. `gone`: with its stream, which the user deleted. `trimmed`: the
 * retention ended before it was read. `unwanted`: before the mapping's starting position, or filtered out.
 * None of these is promised.
 */
export type Fate = 'done' | 'gone' | 'trimmed' | 'unwanted' | 'given up' | 'nowhere';

/** Who works on an event: its writer, or the lane of those that name no partition. */
export interface Lane {
  readonly writer: string;
  readonly stray: boolean;
}

/**
 * The lane of an event. Where writers are partitions, an aggregate's own partition key decides: an event in
 * it with another one came through a lane that isn't its own.
 */
export function laneOf(
  { record, partitionKey }: SimUnit,
  epochs: readonly string[],
  partitions: number | 'shard',
): Lane {
  const { incarnation, shard } = record;
  const epoch = epochs[incarnation] ?? '';
  if (partitions === 'shard') return { writer: shardWriter(epoch, shard), stray: false };
  const partition =
    partitionKey === record.partitionKey ? partitionOfKey(partitionKey, partitions) : undefined;
  if (partition === undefined) return { writer: strayWriter(epoch, shard), stray: true };
  return { writer: partitionWriter(epoch, partition), stray: false };
}

/** The writers of the shards that a writer's shard came from, where writers are shards. */
export function parentWriters(
  writer: string,
  stream: SimStream,
  epochs: readonly string[],
): readonly string[] {
  const [, epoch = '', shard = ''] = /^(.*)\.s(\d+)$/.exec(writer) ?? [];
  if (shard === '') return [];
  const { parents = [] } = stream.shardsOf(epochs.indexOf(epoch))[Number(shard)] ?? {};
  return parents.map((parent) => shardWriter(epoch, parent));
}

/** An event's name in the quarantine: writer and position. */
export function quarantineName(unit: SimUnit, { writer }: Lane): string {
  return `${writer} ${sortablePosition(positionOf(unit))}`;
}

/** One event with what is known of it. */
export interface Fated {
  readonly unit: SimUnit;
  readonly lane: Lane;
  readonly fate: Fate;
  /** The version of the pipeline that has to decide on it. */
  readonly by: BatchVersion | undefined;
}

/** What the end's checks compare with. */
export interface Outcomes {
  readonly all: readonly Fated[];
  readonly reference: Reference;
  /**
   * Writers with records that were delivered and lost, in a way that is not promised: a try with one of
   * them may have decided otherwise on those after it, and left traces of that.
   */
  readonly unsure: ReadonlySet<string>;
}

/** Where each event is in the end, in the order of the stream. */
export function fates(state: EndState): readonly Fated[] {
  const { stream, epochs, program, world } = state;
  const indexed = new Set(world.quarantineIndex.items().map(({ pk, sk }) => `${pk} ${sk}`));
  const trimmed = new Set(state.trimmed);
  const unwanted = new Set(state.unwanted);
  const givenUp = new Set(
    state.discards.flatMap(({ batch }) => batch.records.map(({ payload }) => payload.record)),
  );
  const fateOf = (unit: SimUnit, lane: Lane): Fate => {
    const isDone = lane.stray ? indexed.has(quarantineName(unit, lane)) : state.done.has(unit);
    if (isDone) return 'done';
    if (unit.record.incarnation < stream.incarnation) return 'gone';
    if (trimmed.has(unit.record)) return 'trimmed';
    if (unwanted.has(unit.record)) return 'unwanted';
    return givenUp.has(unit.record) ? 'given up' : 'nowhere';
  };
  const highMs = new Map<string, number>();
  /** Of the latest arrival of the writer so far, in the order of the stream. */
  const byOf = ({ record }: SimUnit, { writer }: Lane): BatchVersion | undefined => {
    const arrivalMs = Math.max(highMs.get(writer) ?? 0, record.arrivalMs);
    highMs.set(writer, arrivalMs);
    return state.versions.findLast(({ fromMs }) => fromMs <= arrivalMs);
  };
  return stream.records
    .flatMap(({ units }) => units)
    .map((unit) => {
      const lane = laneOf(unit, epochs, program.settings.partitions);
      return { unit, lane, fate: fateOf(unit, lane), by: byOf(unit, lane) };
    });
}

/** Nothing is lost: each event is in the results or the quarantine, or where nothing is promised. */
export function checkFates(all: readonly Fated[], mayGiveUp: boolean): readonly string[] {
  const lost = all.filter(({ fate }) => fate === 'nowhere' || (fate === 'given up' && !mayGiveUp));
  return lost.slice(0, 5).map(({ unit, fate }) => {
    const where = fate === 'nowhere' ? 'is nowhere' : 'was given up by the mapping';
    const { shard, sequence } = unit.record;
    return `record ${shard}:${sequence}:${unit.index} (${unit.partitionKey}) ${where}`;
  });
}
