import fc from 'fast-check';
import { expect, it } from 'vitest';
import { makeSeededRandom } from '../../../src/adapters/memory/random.ts';
import type { MappingRecord, Outcome } from '../../../src/mapping/batch.ts';
import { MappingEngine, type MappingInvocation } from '../../../src/mapping/engine.ts';
import { policiesFromRandom } from '../../../src/mapping/policies.ts';
import { type MappingSettings, mappingSettings } from '../../../src/mapping/settings.ts';
import { FAILED, failureAt, OK, SHARD } from '../../helpers/mapping.ts';

const MEGABYTE = 1024 * 1024;

/** Every way in which a record can leave the engine, by its sequence number. */
class Fates {
  /** In a batch whose function came to its end: perhaps acknowledged. */
  readonly answered = new Set<string>();
  readonly givenUp = new Set<string>();
  readonly dropped = new Set<string>();
  readonly trimmed = new Set<string>();

  isKnown(sequence: string): boolean {
    return [this.answered, this.givenUp, this.dropped, this.trimmed].some((one) =>
      one.has(sequence),
    );
  }
}

interface Scenario {
  readonly settings: Partial<MappingSettings>;
  readonly seed: number;
  readonly count: number;
  readonly stepsWithFaults: number;
}

/** A mapping under everything that can happen to it, checked at each step. */
class Run {
  readonly #scenario: Scenario;
  readonly #random;
  readonly #engine: MappingEngine;
  readonly #records: readonly MappingRecord[];
  readonly #fates = new Fates();
  readonly #inFlight: MappingInvocation<unknown>[] = [];
  #added = 0;
  #nowMs = 0;
  #checkpoint = 0;

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
    this.#random = makeSeededRandom(scenario.seed);
    const policies = policiesFromRandom(() => this.#random.next());
    const settings = mappingSettings({ reportsFailures: true, ...scenario.settings });
    this.#engine = new MappingEngine(settings, policies);
    this.#engine.addShard({ id: SHARD, parents: [] }, 0);
    this.#records = Array.from({ length: scenario.count }, (_, index) => this.#record(index + 1));
  }

  run(): Fates {
    for (let step = 0; step < 5_000; step += 1) {
      const hasFaults = step < this.#scenario.stepsWithFaults;
      this.#add();
      if (hasFaults && this.#chance(0.05)) this.#engine.trim(SHARD, this.#nowMs - 20_000);
      const wakeMs = this.#step();
      this.#check();
      const isDone = this.#added === this.#records.length && this.#engine.backlog === 0;
      if (isDone && this.#inFlight.length === 0) break;
      const [first] = this.#inFlight;
      const finishes = first !== undefined && (wakeMs === undefined || this.#chance(0.6));
      if (finishes) this.#finish(hasFaults);
      else this.#nowMs = Math.max(this.#nowMs, wakeMs ?? this.#nowMs + 1_000);
    }
    this.#step();
    expect(this.#engine.backlog).toBe(0);
    expect(this.#engine.checkpoint(SHARD)).toBe(String(this.#records.length));
    return this.#fates;
  }

  #record(sequence: number): MappingRecord {
    const key = Math.floor(this.#random.next() * 4);
    return {
      sequence: String(sequence),
      partitionKey: `p-${key}`,
      arrivalMs: sequence * 500,
      sizeBytes: this.#chance(0.02) ? 7 * MEGABYTE : 100,
      data: Buffer.from(JSON.stringify({ key })),
      payload: undefined,
    };
  }

  #add(): void {
    const { length } = this.#records;
    while (this.#added < length && this.#engine.wantsRecords(SHARD) && this.#chance(0.8)) {
      const record = this.#records[this.#added];
      this.#added += 1;
      if (record === undefined) continue;
      this.#nowMs = Math.max(this.#nowMs, record.arrivalMs);
      if (this.#engine.addRecords(SHARD, [record]) === 1) this.#fates.dropped.add(record.sequence);
    }
    this.#engine.addRecords(SHARD, []);
  }

  #step(): number | undefined {
    const { invocations, discards, trimmed, wakeMs } = this.#engine.step(this.#nowMs);
    for (const { batch } of discards) this.#note(this.#fates.givenUp, batch.records);
    for (const { records } of trimmed) this.#note(this.#fates.trimmed, records);
    for (const one of invocations) {
      const keys = new Set(one.batch.records.map(({ partitionKey }) => partitionKey));
      const others = this.#inFlight.flatMap(({ batch }) => batch.records);
      expect(others.filter(({ partitionKey }) => keys.has(partitionKey))).toEqual([]);
      const sequences = one.batch.records.map(({ sequence }) => Number(sequence));
      expect(sequences).toEqual([...sequences].sort((left, right) => left - right));
      this.#inFlight.push(one);
    }
    return wakeMs;
  }

  /** A record is given up, or trimmed, once. */
  #note(fate: Set<string>, records: readonly MappingRecord[]): void {
    for (const { sequence } of records) {
      const { givenUp, trimmed, dropped } = this.#fates;
      expect(givenUp.has(sequence) || trimmed.has(sequence) || dropped.has(sequence)).toBe(false);
      fate.add(sequence);
    }
  }

  #finish(hasFaults: boolean): void {
    const index = Math.floor(this.#random.next() * this.#inFlight.length);
    const [invocation] = this.#inFlight.splice(index, 1);
    if (invocation === undefined) return;
    const { records } = invocation.batch;
    const outcome = hasFaults ? this.#outcome(records) : OK;
    if (outcome.type === 'answered') {
      for (const { sequence } of records) this.#fates.answered.add(sequence);
    }
    this.#nowMs += Math.floor(this.#random.next() * 3_000);
    this.#engine.finish(invocation.id, outcome, this.#nowMs);
  }

  #outcome(records: readonly MappingRecord[]): Outcome {
    const draw = this.#random.next();
    if (draw < 0.3) return OK;
    if (draw < 0.5) return FAILED;
    if (draw < 0.6) return { type: 'not-invoked' };
    if (draw < 0.65) return { type: 'answered', answer: { batchItemFailures: [{}] } };
    const at = Math.floor(this.#random.next() * records.length);
    return failureAt(records[at]?.sequence ?? '0');
  }

  /** What the checkpoint has passed is known to be finished, and it never goes back. */
  #check(): void {
    const checkpoint = Number(this.#engine.checkpoint(SHARD) ?? 0);
    expect(checkpoint).toBeGreaterThanOrEqual(this.#checkpoint);
    const { sizeBytes } = this.#records[checkpoint - 1] ?? { sizeBytes: 0 };
    for (let sequence = this.#checkpoint + 1; sequence <= checkpoint; sequence += 1) {
      expect(this.#fates.isKnown(String(sequence)) || sizeBytes > MEGABYTE).toBe(true);
    }
    this.#checkpoint = checkpoint;
    expect(this.#engine.backlog).toBeLessThanOrEqual(this.#added - checkpoint);
  }

  #chance(probability: number): boolean {
    return this.#random.next() < probability;
  }
}

const scenario: fc.Arbitrary<Scenario> = fc.record({
  settings: fc.record({
    batchSize: fc.integer({ min: 1, max: 8 }),
    parallelization: fc.integer({ min: 1, max: 3 }),
    windowMs: fc.constantFrom(0, 3_000),
    bisect: fc.boolean(),
    retriesMax: fc.constantFrom(0, 1, 3),
    recordAgeMaxMs: fc.constantFrom(-1, 60_000),
    filters: fc.constantFrom([], ['{"data":{"key":[0,1]}}']),
  }),
  seed: fc.nat(),
  count: fc.integer({ min: 1, max: 40 }),
  stepsWithFaults: fc.integer({ min: 0, max: 300 }),
});

it('every record ends acknowledged, given up, dropped or trimmed, and the checkpoint passes no other', () => {
  fc.assert(
    fc.property(scenario, (given) => {
      const fates = new Run(given).run();
      for (let sequence = 1; sequence <= given.count; sequence += 1) {
        expect(fates.isKnown(String(sequence)), `record ${sequence}`).toBe(true);
      }
      if (given.settings.filters?.length === 0) expect(fates.dropped.size).toBe(0);
    }),
    { numRuns: 500 },
  );
});
