import type { BatchResult } from '../batch/batch.ts';
import type { Comparison } from '../batch/compare.ts';
import type { LocatedVerdict } from './archived-run.ts';
import type { ClosingResult } from './closing-check.ts';
import type { Cloud, CloudOptions } from './cloud.ts';
import type { RaisedAlarm } from './cloudwatch/alarm-history.ts';
import type { PageServer } from './console/page-server.ts';
import type { StageVerdict } from './fed-stage.ts';
import type { MappingProgress } from './mapping-driver.ts';

/** What a local run does. */
export interface RunOptions extends Omit<CloudOptions, 'pipeline'> {
  readonly pipeline: string;
  /** Rows of the feed, 1 to 10,000,000; undefined is the feed's own limit. */
  readonly events: number | undefined;
  /** Events a second; 0 is without limit, undefined 5,000, or what lasts as long as a stall. */
  readonly rate: number | undefined;
  readonly badPercent: number;
  readonly duplicatePercent: number;
  readonly seed: number;
  /** The mapping stands still for so long, seconds; 0 is not at all. */
  readonly stallSeconds: number;
  /** Seconds of CloudWatch's time in one second, 1 to 60. */
  readonly alarmSpeed: number;
}

/** How a run ended. */
export interface RunResult {
  readonly pipeline: string;
  readonly run: string;
  readonly endpoint: string;
  /** What becomes of the cloud: it stays for `--keep`, and where the user named its endpoint. */
  readonly afterwards: 'stopped' | 'kept' | 'given';
  readonly sent: number;
  readonly seconds: number;
  /** Of all runs into these tables, as the batch computation has it. */
  readonly computed: BatchResult;
  /** Runs into these tables, this one included. */
  readonly runs: number;
  readonly mapping: MappingProgress;
  readonly comparison: Comparison;
  /** The archive of this run, read back; undefined where the pipeline has none. */
  readonly archive: LocatedVerdict | undefined;
  /** What became of closed windows; undefined where the pipeline closes none. */
  readonly closing: ClosingResult | undefined;
  /** The pipelines that it feeds, directly or by way of others. */
  readonly stages: readonly StageVerdict[];
  readonly alarms: readonly RaisedAlarm[];
  readonly alarmSpeed: number;
  readonly cloud: Pick<Cloud, 'deployment'>;
  /** Still served, for whom the cloud is kept. */
  readonly page: PageServer | undefined;
}
