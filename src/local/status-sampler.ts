import { readRowStates } from './closing-check.ts';
import type { StageProgress } from './fed-stages.ts';
import type { MappingDriver } from './mapping-driver.ts';
import { countQuarantined, type ResultSource, readWindow } from './results.ts';
import { type RunStatus, type TopTable, topRows } from './status.ts';

/** What is looked at. */
export interface StatusSamplerOptions {
  readonly driver: MappingDriver;
  readonly source: ResultSource;
  readonly total: number;
  /** Event time of each event that was taken, in that order; it grows. */
  readonly times: readonly number[];
  /** When each of these was taken. */
  readonly takenMs: readonly number[];
  /** Names of the alarms that are on. */
  readonly alarms: () => readonly string[];
  /** How far the pipelines are that are fed. */
  readonly fed: () => readonly StageProgress[];
}

/** Between two looks into the tables, milliseconds. */
const TABLES_MS = 1_000;

/** Rates are over this long, milliseconds. */
const RATE_MS = 3_000;

/** Looks at a run: the driver's counts each time, the tables once a second. */
export class StatusSampler {
  readonly #options: StatusSamplerOptions;
  #quarantined = 0;
  #top: TopTable | undefined;
  #lookedMs = 0;
  #recent: { readonly atMs: number; readonly processed: number }[] = [];

  constructor(options: StatusSamplerOptions) {
    this.#options = options;
  }

  async sample({ fresh = false } = {}): Promise<RunStatus> {
    const { driver, times, total, alarms, fed } = this.#options;
    const { processed, lagMs } = driver.progress();
    if (fresh || Date.now() - this.#lookedMs >= TABLES_MS) await this.#look(processed);
    return {
      sent: times.length,
      total,
      processed,
      quarantined: this.#quarantined,
      lagMs: Math.max(lagMs, this.#unread(processed)),
      rate: this.#rate(processed),
      top: this.#top,
      alarms: alarms(),
      fed: fed(),
    };
  }

  /** A mapping that is paused reads nothing: what waits in the stream is known by when it was taken. */
  #unread(processed: number): number {
    const { driver, takenMs } = this.#options;
    const oldestMs = driver.isPaused ? takenMs[processed] : undefined;
    return oldestMs === undefined ? 0 : Date.now() - oldestMs;
  }

  async #look(processed: number): Promise<void> {
    this.#lookedMs = Date.now();
    const { source, times } = this.#options;
    this.#quarantined = await countQuarantined(source);
    const { aggregates } = source.program;
    const aggregate = aggregates.find(({ by }) => by.length > 0) ?? aggregates[0];
    const timeMs = times[processed - 1];
    const [span] = timeMs === undefined ? [] : (aggregate?.assign(timeMs) ?? []);
    if (aggregate === undefined || span === undefined) return;
    const { startMs } = span;
    const all = await readWindow(source, aggregate, startMs);
    const rows = topRows(all);
    // A broken event's time can point to a window without results: the last table stays.
    if (rows.length === 0) return;
    const { name, by, closes } = aggregate;
    const states = closes ? await readRowStates(source, aggregate, { startMs, rows }) : undefined;
    const top = { window: name, startMs, by, rows, groups: all.length };
    this.#top = states === undefined ? top : { ...top, states };
  }

  #rate(processed: number): number {
    const atMs = Date.now();
    const old = this.#recent.findLastIndex((one) => atMs - one.atMs >= RATE_MS);
    this.#recent = [...this.#recent.slice(Math.max(0, old)), { atMs, processed }];
    const [first] = this.#recent;
    if (first === undefined || first.atMs === atMs) return 0;
    return ((processed - first.processed) * 1000) / (atMs - first.atMs);
  }
}
