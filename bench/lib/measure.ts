import { availableParallelism, cpus } from 'node:os';

/** One way to do the same work. */
export interface Variant {
  readonly name: string;
  /** Makes what a round starts with anew, such as a fresh container. */
  make(): (index: number) => unknown;
  /** Repeats within a sample, for what is too short for the clock of the CPU; default 1. */
  readonly repeats?: number;
}

/** CPU of each round's variants, microseconds a unit of work. */
export type Rounds = readonly ReadonlyMap<string, number>[];

/** How the rounds go. */
export interface Plan {
  /** Batches of a round; variants take turns batch by batch. */
  readonly batches: number;
  /** Units of work in a round, such as events. */
  readonly units: number;
  readonly warmUp: number;
  readonly rounds: number;
}

/**
 * Measures variants batch by batch in turn, in one process, by CPU time of the process: what else the machine
 * does meets all of them alike. Each round starts with another variant.
 */
export async function interleave(variants: readonly Variant[], plan: Plan): Promise<Rounds> {
  const kept: ReadonlyMap<string, number>[] = [];
  for (let round = 0; round < plan.warmUp + plan.rounds; round += 1) {
    const first = round % variants.length;
    const order = [...variants.slice(first), ...variants.slice(0, first)];
    const sums = await oneRound(order, plan);
    if (round >= plan.warmUp) kept.push(sums);
    process.stderr.write(`round ${round + 1} of ${plan.warmUp + plan.rounds}\n`);
  }
  return kept;
}

async function oneRound(variants: readonly Variant[], plan: Plan): Promise<Map<string, number>> {
  const runs = variants.map((variant) => ({ variant, run: variant.make() }));
  const sums = new Map(variants.map(({ name }) => [name, 0]));
  for (let index = 0; index < plan.batches; index += 1) {
    for (const { variant, run } of runs) {
      const repeats = variant.repeats ?? 1;
      const us = await cpuUs(async () => {
        for (let repeat = 0; repeat < repeats; repeat += 1) await run(index);
      });
      sums.set(variant.name, (sums.get(variant.name) ?? 0) + us / repeats / plan.units);
    }
  }
  return sums;
}

async function cpuUs(run: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await run();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

/** Median, least and greatest. */
export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly greatest: number;
}

/** The spread of some values; NaN of none. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((left, right) => left - right);
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  return { median: at(0.5), least: at(0), greatest: at(1) };
}

/** A variant's CPU, and its ratio to another one's within each round. */
export function compared(
  rounds: Rounds,
  name: string,
  base: string,
): { readonly us: Spread; readonly ratio: Spread } {
  const of = (round: ReadonlyMap<string, number>, one: string) => round.get(one) ?? Number.NaN;
  return {
    us: spreadOf(rounds.map((round) => of(round, name))),
    ratio: spreadOf(rounds.map((round) => of(round, name) / of(round, base))),
  };
}

/** Such as `1.63 (1.55 to 1.71)`. */
export function showSpread({ median, least, greatest }: Spread): string {
  return `${median.toFixed(2)} (${least.toFixed(2)} to ${greatest.toFixed(2)})`;
}

/** The machine that figures are of. */
export function machine(): string {
  return `${cpus()[0]?.model.trim() ?? 'unknown'}, ${availableParallelism()} cores, Node ${process.version}`;
}
