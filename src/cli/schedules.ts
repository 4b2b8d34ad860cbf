import { compile } from '../core/compile.ts';
import type { TemplateConsumer } from '../local/deployed-mapping.ts';
import { loadSimulation } from '../local/simulation.ts';
import { type FaultName, onlyFaults } from '../sim/faults.ts';
import type { SimOptions } from '../sim/schedule.ts';
import { simulate } from '../sim/simulate.ts';
import { witnessed } from '../sim/witness.ts';

/** What all schedules of a command have in common; plain data, as it goes to other threads. */
export interface Schedules {
  readonly pipeline: string;
  /** Events of a schedule, repeats left out. */
  readonly events: number;
  readonly faults: readonly FaultName[];
  /** Of the synthesised template. */
  readonly deployed: TemplateConsumer;
}

/** What one schedule came to; plain data. */
export interface ScheduleOutcome {
  readonly seed: number;
  readonly events: number;
  readonly faults: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly hits: Readonly<Record<string, number>>;
  readonly fates: Readonly<Record<string, number>>;
  /** Promises that were broken. */
  readonly violations: readonly string[];
}

/** How long faults go on in a schedule, milliseconds. */
const FAULTS_FOR_MS = 180_000;

/** The keeper's schedule in every stack, and how often expired items are looked for. */
const HOUR_MS = 3_600_000;

/** The closer's schedule in every stack. */
const MINUTE_MS = 60_000;

/** It runs in three of seven schedules, as it costs hours of their time. Seven: no other choice goes by that number. */
function closesIn(seed: number): boolean {
  return seed % 7 < 3;
}

/** Loads the pipeline, and gives what each seed is simulated with. */
export async function openSchedules({
  pipeline: name,
  events,
  faults,
  deployed,
}: Schedules): Promise<(seed: number) => SimOptions> {
  const source = await loadSimulation(name, events);
  const pipeline = witnessed(source.folder.pipeline);
  const program = compile(pipeline, source.folder.references);
  const closes = program.settings.closing !== null;
  return (seed) => ({
    seed,
    startMs: source.startMs,
    pipeline,
    program: () => program,
    events: source.events(seed),
    shards: 1 + (seed % 2),
    settings: deployed.settings,
    timeoutMs: deployed.timeoutMs,
    faults: onlyFaults(faults),
    faultsForMs: FAULTS_FOR_MS,
    keepEveryMs: HOUR_MS,
    expireEveryMs: HOUR_MS,
    closeEveryMs: closes && closesIn(seed) ? MINUTE_MS : undefined,
  });
}

/** Runs one schedule, and leaves out what only its own thread can use. */
export async function runSchedule(options: SimOptions): Promise<ScheduleOutcome> {
  const { counts, hits, faults, fates, violations } = await simulate(options);
  const { seed, events } = options;
  return { seed, events: events.length, faults, counts, hits, fates, violations };
}
