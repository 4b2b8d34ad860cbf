import { FAULT_NAMES } from './faults.ts';
import type { SimOptions, SimResult } from './schedule.ts';
import { simulate } from './simulate.ts';

/** What of a schedule is kept. */
export interface Kept {
  /** Places of the events in the whole schedule, from 0. */
  readonly events: readonly number[];
  /** Numbers of the hits of faults that still happen; undefined: all of them. */
  readonly hits: readonly number[] | undefined;
}

/** A failing schedule with less in it. */
export interface Shrunk {
  readonly options: SimOptions;
  readonly result: SimResult;
  readonly kept: Kept;
  /** Simulations that it took. */
  readonly runs: number;
}

/** Simulations that shrinking takes at most. */
const RUNS_MAX = 400;

/** The schedule with only some of its events and faults. */
export function restricted(options: SimOptions, { events, hits }: Kept): SimOptions {
  const some = events.flatMap((index) => options.events[index] ?? []);
  return {
    ...options,
    events: some,
    ...(hits === undefined ? {} : { keepFaults: new Set(hits) }),
  };
}

/**
 * Makes a failing schedule smaller as long as it still fails: first whole kinds of faults are left out,
 * then runs of events, then single hits of faults, then events again (delta debugging, Zeller and
 * Hildebrandt 2002).
 */
export function shrink(failing: SimOptions): Promise<Shrunk> {
  return new Shrinker(failing).run();
}

class Shrinker {
  #options: SimOptions;
  #kept: Kept;
  #result: SimResult | undefined;
  #runs = 0;

  constructor(failing: SimOptions) {
    this.#options = { ...failing, keepTrace: true };
    this.#kept = { events: [...failing.events.keys()], hits: undefined };
  }

  async run(): Promise<Shrunk> {
    const first = await simulate(this.#options);
    this.#result = first;
    for (const name of FAULT_NAMES) {
      if (this.#options.faults[name] > 0) await this.#without(name);
    }
    await this.#fewerEvents();
    const hits = (this.#result ?? first).faultHits.map(({ number }) => number);
    await minimise(hits, (some) => this.#fails({ ...this.#kept, hits: some }));
    await this.#fewerEvents();
    return {
      options: restricted(this.#options, this.#kept),
      result: this.#result ?? first,
      kept: this.#kept,
      runs: this.#runs + 1,
    };
  }

  async #without(name: (typeof FAULT_NAMES)[number]): Promise<void> {
    const before = this.#options;
    this.#options = { ...before, faults: { ...before.faults, [name]: 0 } };
    if (!(await this.#fails(this.#kept))) this.#options = before;
  }

  #fewerEvents(): Promise<unknown> {
    return minimise(this.#kept.events, (events) => this.#fails({ ...this.#kept, events }));
  }

  /** True when it still fails; then it is what is kept. */
  async #fails(kept: Kept): Promise<boolean> {
    if (this.#runs >= RUNS_MAX || kept.events.length === 0) return false;
    this.#runs += 1;
    const result = await simulate(restricted(this.#options, kept));
    if (result.violations.length === 0) return false;
    this.#kept = kept;
    this.#result = result;
    return true;
  }
}

/** Leaves out runs of items, halves first and single ones last, as long as `holds` says so. */
async function minimise<Item>(
  items: readonly Item[],
  holds: (items: readonly Item[]) => Promise<boolean>,
): Promise<readonly Item[]> {
  let best = items;
  let size = Math.ceil(best.length / 2);
  while (size >= 1 && best.length > 0) {
    let dropped = false;
    for (let start = 0; start < best.length; ) {
      const rest = [...best.slice(0, start), ...best.slice(start + size)];
      if (await holds(rest)) {
        best = rest;
        dropped = true;
      } else start += size;
    }
    if (size > 1) size = Math.floor(size / 2);
    else if (!dropped) return best;
  }
  return best;
}
