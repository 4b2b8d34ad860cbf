import { murmur3 } from '../core/hash.ts';
import type { Random } from '../ports/random.ts';
import {
  type FaultName,
  type FaultRates,
  LASTING_FAULTS,
  type LastingFault,
  REQUEST_FAULTS,
} from './faults.ts';
import { randomOf } from './randoms.ts';

/** What the dice are thrown for. */
export interface DiceOptions {
  readonly seed: number;
  /** For how long, and how much. */
  readonly random: Random;
  /** The rates of this moment. */
  readonly rates: () => FaultRates;
  /** Only these hits happen, by their number; the others are passed over. For shrinking. */
  readonly keep: ReadonlySet<number> | undefined;
  /** Told of each hit. */
  readonly onHit: (number: number, fault: FaultName, step: string) => void;
}

type RequestFault = (typeof REQUEST_FAULTS)[number];
const utf8 = new TextEncoder();

/**
 * Decides what goes wrong.
 *
 * Invariants
 * 1. A hit has a number, counted over the whole schedule; a hit that is passed over has one too.
 * 2. Each await, and each fault that hits none, has random numbers of its own: a schedule with an event less
 *    still has most of its faults, which makes it easier to shrink.
 * 3. The first time that a schedule comes to an await, one request fault hits it, of a kind that the
 *    seed and the await's name choose: else what is awaited once a schedule would hardly be hit. In half of
 *    the schedules a lasting fault begins at it too, chosen in the same way.
 */
export class Dice {
  readonly #options: DiceOptions;
  #hits = 0;
  readonly #randoms = new Map<string, Random>();
  /** The kind that is still to hit a step; undefined once it did. */
  readonly #due = new Map<string, RequestFault | undefined>();
  /** Awaits that a lasting fault could begin at, and did or did not. */
  readonly #begun = new Set<string>();
  /** How often what happened: faults by name, and whatever else is counted. */
  readonly counts: Record<string, number> = {};
  /** How often a fault hit an await, such as `ledger.get entry refuse`. */
  readonly hits: Record<string, number> = {};

  constructor(options: DiceOptions) {
    this.#options = options;
  }

  /** Faults so far, those that were passed over left out. */
  faults = 0;

  /** Counts something that is no fault. */
  count(name: string): void {
    this.counts[name] = (this.counts[name] ?? 0) + 1;
  }

  /** True when the fault happens here; `step` names the await, where it is one. */
  strikes(fault: FaultName, step = ''): boolean {
    const rate = this.#options.rates()[fault];
    const chance = this.#randomOf(step || fault).next();
    return this.#isDue(fault, step, rate) || chance < rate ? this.#hit(fault, step) : false;
  }

  /** The one of several faults that happens here, if any. */
  oneOf<Name extends RequestFault>(faults: readonly Name[], step: string): Name | undefined {
    const rates = this.#options.rates();
    let chance = this.#randomOf(step).next();
    for (const fault of faults) {
      if (this.#isDue(fault, step, rates[fault])) return this.#hit(fault, step) ? fault : undefined;
    }
    for (const fault of faults) {
      if (chance < rates[fault]) return this.#hit(fault, step) ? fault : undefined;
      chance -= rates[fault];
    }
    return undefined;
  }

  /** The lasting fault that begins at this await, at most once a schedule: one of those that can refuse it. */
  begins(step: string, possible: readonly LastingFault[]): LastingFault | undefined {
    if (this.#begun.has(step)) return undefined;
    this.#begun.add(step);
    const turn = this.#options.seed + murmur3(utf8.encode(`lasting ${step}`));
    const fault = LASTING_FAULTS[turn % (2 * LASTING_FAULTS.length)];
    if (fault === undefined || !possible.includes(fault)) return undefined;
    return this.#options.rates()[fault] > 0 && this.#hit(fault, '') ? fault : undefined;
  }

  /** A time up to the given one, milliseconds. */
  upTo(ms: number): number {
    return Math.floor(this.#options.random.next() * ms);
  }

  /** Counts that a lasting fault, such as an outage, met an await. */
  met(fault: FaultName, step: string): void {
    const name = `${step} ${fault}`;
    this.hits[name] = (this.hits[name] ?? 0) + 1;
  }

  #randomOf(name: string): Random {
    const known = this.#randoms.get(name) ?? randomOf(this.#options.seed, `fault ${name}`);
    this.#randoms.set(name, known);
    return known;
  }

  #isDue(fault: FaultName, step: string, rate: number): boolean {
    if (step === '' || rate === 0) return false;
    if (!this.#due.has(step)) this.#due.set(step, this.#kindFor(step));
    if (this.#due.get(step) !== fault) return false;
    this.#due.set(step, undefined);
    return true;
  }

  #kindFor(step: string): RequestFault | undefined {
    const turn = this.#options.seed + murmur3(utf8.encode(step));
    return REQUEST_FAULTS[turn % REQUEST_FAULTS.length];
  }

  #hit(fault: FaultName, step: string): boolean {
    this.#hits += 1;
    const { keep, onHit } = this.#options;
    if (keep !== undefined && !keep.has(this.#hits)) return false;
    this.faults += 1;
    this.count(fault);
    if (step !== '') this.met(fault, step);
    onHit(this.#hits, fault, step);
    return true;
  }
}
