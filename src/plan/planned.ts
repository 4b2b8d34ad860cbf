import type { Program } from '../core/program.ts';
import { ASSUMED } from './assumptions.ts';
import type { Deployment } from './deployment.ts';
import type { Sample } from './sample.ts';

/** What of a pipeline, its environment and traffic decides how much it can take. */
export interface PlannedSettings {
  readonly program: Pick<Program, 'settings' | 'aggregates' | 'outputs'>;
  readonly deployment: Pick<Deployment, 'stream' | 'consumer' | 'archive'>;
  readonly sample: Sample;
  /** The highest rate, events a second: what the stream is sized by. */
  readonly peak: number;
}

/** What a plan is made of. */
export interface Planned extends PlannedSettings {
  readonly program: Program;
  readonly deployment: Deployment;
  /** Share of the events that are refused. */
  readonly bad: number;
  /** Warm containers that batches come to by turns; default: as many as may work at the same time. */
  readonly containers?: number;
}

/** The archive's settings, where neither pipeline nor environment leaves it out. */
export function archiveOf({
  program,
  deployment,
}: Pick<PlannedSettings, 'program' | 'deployment'>): Deployment['archive'] {
  return program.settings.retention.archiveMs === null ? false : deployment.archive;
}

/** Seconds that a batch of so many events of some writers takes: its CPU, and requests one after the other. */
export function batchSeconds(
  { deployment, program }: Pick<PlannedSettings, 'program' | 'deployment'>,
  writers: number,
  events: number,
): number {
  const { memoryMb } = deployment.consumer;
  const core = Math.min(1, memoryMb / ASSUMED.coreMb);
  const cpuS = (events * (ASSUMED.handlerUs + ASSUMED.clientUs)) / 1e6 / core;
  const { retention, events: layout } = program.settings;
  const keepsEach = retention.eventsMs !== null && layout.layout === 'each';
  const own = events / writers;
  const atOnce = 25 * ASSUMED.requestsAtOnce;
  const puts = keepsEach ? Math.ceil(own / atOnce) : 1;
  const pages = Math.ceil((own * program.aggregates.length) / 4 / atOnce);
  const rounds = Math.ceil(writers / ASSUMED.writersAtOnce);
  // Freshness, quarantine or events, pages, what is fed, the entry.
  const requests = 1 + rounds * (puts + pages + program.outputs.length + 1);
  return cpuS + (requests * ASSUMED.tableRequestMs) / 1000;
}
