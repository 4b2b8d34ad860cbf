import { FAULT_NAMES } from './faults.ts';
import type { SimOptions, SimResult } from './schedule.ts';
import { simulate } from './simulate.ts';
import type { SimEvent } from './stream.ts';

/** A failing schedule with less in it. */
export interface Shrunk {
  readonly options: SimOptions;
  readonly result: SimResult;
  /** Simulations that it took. */
  readonly runs: number;
}

/** Simulations that shrinking takes at most. */
const RUNS_MAX = 300;

/**
 * Makes a failing schedule smaller as long as it still fails: first whole kinds of faults are left out,
 * then runs of events, halves first (delta debugging, Zeller and Hildebrandt 2002).
 */
export async function shrink(failing: SimOptions): Promise<Shrunk> {
  let best = { options: failing, result: await simulate(failing) };
  let runs = 1;
  const attempt = async (options: SimOptions): Promise<boolean> => {
    if (runs >= RUNS_MAX) return false;
    runs += 1;
    const result = await simulate(options);
    if (result.violations.length === 0) return false;
    best = { options, result };
    return true;
  };
  for (const name of FAULT_NAMES) {
    if (best.options.faults[name] === 0) continue;
    await attempt({ ...best.options, faults: { ...best.options.faults, [name]: 0 } });
  }
  let size = Math.ceil(best.options.events.length / 2);
  while (size >= 1 && runs < RUNS_MAX) {
    const smaller = await dropRuns(best.options.events, size, (events) =>
      attempt({ ...best.options, events }),
    );
    size = smaller ? Math.min(size, best.options.events.length) : Math.floor(size / 2);
  }
  return { ...best, runs };
}

/** Tries to leave out each run of `size` events; true when one could be. */
async function dropRuns(
  events: readonly SimEvent[],
  size: number,
  attempt: (events: readonly SimEvent[]) => Promise<boolean>,
): Promise<boolean> {
  for (let start = 0; start < events.length; start += size) {
    const rest = [...events.slice(0, start), ...events.slice(start + size)];
    if (rest.length > 0 && (await attempt(rest))) return true;
  }
  return false;
}
