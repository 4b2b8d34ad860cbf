import { FAULT_NAMES, type FaultName, REQUEST_FAULTS } from './faults.ts';
import type { SimResult } from './schedule.ts';
import { lastingFaultsAt, type Service } from './weather.ts';

/** How often a fault has to hit an await before it counts as tried. */
export const HITS_ENOUGH = 20;

/** What several schedules exercised. */
export interface Coverage {
  /** How often what happened. */
  readonly counts: Readonly<Record<string, number>>;
  /** By await, such as `ledger.get entry`, how often each fault hit it. */
  readonly awaits: ReadonlyMap<string, Readonly<Partial<Record<FaultName, number>>>>;
  /** Of a schedule. */
  readonly medianFaults: number;
  readonly medianEvents: number;
}

/** Of one schedule, as much as a coverage is made of. */
export interface Exercised extends Pick<SimResult, 'counts' | 'hits' | 'faults'> {
  readonly events: number;
}

/** The await that is no request. */
const PAUSE = 'pause';

/** Adds up what schedules exercised. */
export function coverageOf(all: readonly Exercised[]): Coverage {
  const counts: Record<string, number> = {};
  const awaits = new Map<string, Partial<Record<FaultName, number>>>();
  for (const one of all) {
    for (const [name, count] of Object.entries(one.counts)) {
      counts[name] = (counts[name] ?? 0) + count;
    }
    for (const [hit, count] of Object.entries(one.hits)) {
      const at = hit.lastIndexOf(' ');
      const step = hit.slice(0, at);
      const fault = hit.slice(at + 1) as FaultName;
      const row = awaits.get(step) ?? {};
      row[fault] = (row[fault] ?? 0) + count;
      awaits.set(step, row);
    }
  }
  return {
    counts,
    awaits: new Map([...awaits].sort(([left], [right]) => (left < right ? -1 : 1))),
    medianFaults: median(all.map(({ faults }) => faults)),
    medianEvents: median(all.map(({ events }) => events)),
  };
}

/** Awaits and faults that met less often than is enough, such as `ledger.get entry crash`. */
export function seldomHit(
  { awaits }: Coverage,
  faults: readonly FaultName[] = FAULT_NAMES,
): readonly string[] {
  return [...awaits].flatMap(([step, row]) =>
    faultsAt(step)
      .filter((fault) => faults.includes(fault))
      .filter((fault) => (row[fault] ?? 0) < HITS_ENOUGH)
      .map((fault) => `${step} ${fault}`),
  );
}

/** The faults that an await has to stand. */
export function faultsAt(step: string): readonly FaultName[] {
  // A pause sends nothing: a container can only die in it.
  if (step === PAUSE) return ['crash'];
  const service = step.slice(0, step.indexOf('.')) as Service;
  return [...REQUEST_FAULTS, ...lastingFaultsAt({ service, encrypted: service !== 'stream' })];
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((left, right) => left - right);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
}
