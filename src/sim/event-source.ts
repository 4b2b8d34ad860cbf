import type { Batch } from '../mapping/batch.ts';
import { type MappingDiscard, MappingEngine, type MappingInvocation } from '../mapping/engine.ts';
import type { Outcome } from '../mapping/lane.ts';
import type { MappingPolicies } from '../mapping/policies.ts';
import { type MappingSettings, mappingSettings } from '../mapping/settings.ts';
import type { VirtualClock } from './clock.ts';
import type { Dice } from './dice.ts';
import { firstOpen, ShardReader, type SimPayload, shardId } from './shard-reader.ts';
import type { SimRecord, SimShard, SimStream } from './stream.ts';
import type { Trace } from './trace.ts';
import type { Weather } from './weather.ts';

/** As much of the mapping engine as the simulation uses. */
export type SimEngine = Pick<
  MappingEngine<SimPayload>,
  | 'addShard'
  | 'wantsRecords'
  | 'addRecords'
  | 'endShard'
  | 'step'
  | 'finish'
  | 'isFinishedUpTo'
  | 'backlog'
>;

/** What the mapping reads, runs and tells. */
export interface EventSourceOptions {
  readonly settings: Partial<MappingSettings>;
  readonly policies: MappingPolicies;
  readonly makeEngine:
    | ((settings: MappingSettings, policies: MappingPolicies) => SimEngine)
    | undefined;
  readonly stream: SimStream;
  readonly clock: VirtualClock;
  readonly dice: Dice;
  readonly trace: Trace;
  readonly weather: Weather;
  /** How long the stream keeps a record, milliseconds. */
  readonly retentionMs: number;
  readonly invoke: (batch: Batch<SimPayload>, shard: string) => Promise<Outcome>;
  readonly onGivenUp: (discard: MappingDiscard<SimPayload>) => void;
  readonly onViolation: (text: string) => void;
}

/**
 * The event source mapping with its pollers, around the mapping engine.
 *
 * Invariants
 * 1. A shard is read in its order, from the checkpoint on, as far as the engine wants.
 * 2. What an abandoned engine still has in flight goes on, and its outcomes are ignored: a second
 *    poller of the same shard looks like that.
 *
 * https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html
 */
export class EventSource {
  readonly #options: EventSourceOptions;
  readonly #settings: MappingSettings;
  readonly #reader: ShardReader;
  readonly #inFlight = new Map<string, number>();
  #engine: SimEngine;
  #reading = true;
  /** Something happened since the last step; else it has nothing to do before `#wakeMs`. */
  #changed = true;
  #wakeMs: number | undefined;

  constructor(options: EventSourceOptions) {
    this.#options = options;
    this.#settings = mappingSettings({ reportsFailures: true, ...options.settings });
    this.#reader = new ShardReader({ ...options, start: this.#settings.startingPosition });
    this.#engine = this.#newEngine();
  }

  /** Records that were read and are not finished. */
  get backlog(): number {
    return this.#engine.backlog;
  }

  /** True when everything in the stream was read and is finished. */
  get isDone(): boolean {
    const isRead = this.#options.stream.shards.every((shard) => this.#reader.isRead(shard));
    return this.#reading && isRead && this.backlog === 0;
  }

  /** Records that were gone before they were read. */
  get trimmed(): readonly SimRecord[] {
    return this.#reader.trimmed;
  }

  /** Records that the mapping is not made for. */
  get unwanted(): readonly SimRecord[] {
    return this.#reader.unwanted;
  }

  /** Something came into the stream. */
  notice(): void {
    this.#changed = true;
  }

  /** Does what can be done now; when to come again, if only time has to pass. */
  pump(): number | undefined {
    if (!this.#changed && this.#options.clock.now() < (this.#wakeMs ?? Number.POSITIVE_INFINITY)) {
      return this.#wakeMs;
    }
    // What is given up may finish a parent, whose children then are wanted.
    for (this.#changed = true; this.#changed; ) {
      this.#changed = false;
      this.#wakeMs = this.#step();
    }
    return this.#wakeMs;
  }

  #step(): number | undefined {
    const shards = this.#reading ? this.#options.stream.shards : [];
    const wakes = shards.map((shard) => this.#reader.read(this.#engine, shard));
    const { invocations, discards, wakeMs } = this.#engine.step(this.#options.clock.now());
    for (const discard of discards) {
      this.#options.dice.count('given up');
      this.#options.onGivenUp(discard);
    }
    this.#changed = discards.length > 0;
    const engine = this.#engine;
    for (const invocation of invocations) this.#invoke(engine, invocation);
    const times = [...wakes, wakeMs].filter((time) => time !== undefined);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** Takes in a shard that a split or merge made. */
  addShard(shard: SimShard): void {
    this.#changed = true;
    this.#add(this.#engine, shard);
  }

  /** Stops reading; what was read is still worked on, unless it is dropped. */
  disable(drops: boolean): void {
    this.#reading = false;
    if (!drops) return;
    const before = this.#engine;
    this.#engine = this.#newEngine();
    for (const shard of this.#options.stream.shards) {
      this.#reader.moveTo(shard, firstOpen(shard, before));
    }
  }

  /** Goes on where it was. */
  enable(): void {
    this.#reading = true;
    this.#changed = true;
  }

  /** Begins anew at the oldest record, as a mapping of a stream that was made again. */
  restart(): void {
    this.#reader.restart();
    this.#engine = this.#newEngine();
  }

  /** One invocation from start to outcome; runs beside the loop. */
  async #invoke(
    engine: SimEngine,
    { id, batch, shard }: MappingInvocation<SimPayload>,
  ): Promise<void> {
    const { clock, dice, invoke } = this.#options;
    this.#checkConcurrency(shard);
    const outcome = await invoke(batch, shard);
    const isSplit = this.#settings.bisect && batch.records.length > 1;
    if (outcome.type === 'failed' && isSplit) dice.count('halved batch');
    if (engine !== this.#engine) return;
    this.#inFlight.set(shard, (this.#inFlight.get(shard) ?? 0) - 1);
    this.#changed = true;
    engine.finish(id, outcome, clock.now());
    if (!this.#reading || !dice.strikes('loseCheckpoint')) return;
    // What was given up is in the failure destination before the checkpoint moves.
    this.pump();
    this.#goBack();
  }

  #checkConcurrency(shard: string): void {
    const running = (this.#inFlight.get(shard) ?? 0) + 1;
    this.#inFlight.set(shard, running);
    if (running <= this.#settings.parallelization) return;
    this.#options.onViolation(`${shard}: ${running} batches are in flight at the same time`);
  }

  /** The checkpoint was lost: a new poller starts somewhere before the first unfinished record. */
  #goBack(): void {
    const { stream, dice, trace, clock } = this.#options;
    const before = this.#engine;
    this.#engine = this.#newEngine();
    for (const shard of stream.shards) {
      const { number, records } = shard;
      const next = dice.upTo(firstOpen(shard, before) + 1);
      this.#reader.moveTo(shard, next);
      const text = `checkpoint of shard ${number} lost: again from ${records[next]?.sequence ?? 'its end'}`;
      trace.add(clock.now(), 'mapping', text, () => ({ shards: [shardId(number)] }));
    }
  }

  #newEngine(): SimEngine {
    this.#changed = true;
    this.#inFlight.clear();
    const { makeEngine, policies } = this.#options;
    const engine =
      makeEngine?.(this.#settings, policies) ??
      new MappingEngine<SimPayload>(this.#settings, policies);
    for (const shard of this.#options.stream.shards) this.#add(engine, shard);
    return engine;
  }

  #add(engine: SimEngine, { number, parents }: SimShard): void {
    const { clock } = this.#options;
    engine.addShard({ id: shardId(number), parents: parents.map(shardId) }, clock.now());
  }
}
