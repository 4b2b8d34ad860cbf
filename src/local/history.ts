import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { SpoilShares } from './feed/spoil.ts';
import { writeWhole } from './write-whole.ts';

/** Everything that makes the events of a run: the same spec makes the same events. */
export interface RunSpec extends SpoilShares {
  readonly pipeline: string;
  readonly run: string;
  readonly events: number;
  readonly nowMs: number;
  readonly seed: number;
}

/** What is known of a run. */
export interface RunNote extends RunSpec {
  readonly complete: boolean;
  /** Print of the version of the pipeline that was deployed. */
  readonly version?: string;
}

/** What is known of the runs into one stream. */
export interface History {
  readonly runs: readonly RunNote[];
  /** Last finished sequence number of each shard. */
  readonly checkpoints: Readonly<Record<string, string>>;
  /** The same of the archiver; absent where there is none. */
  readonly archiveCheckpoints?: Readonly<Record<string, string>>;
}

const EMPTY: History = { runs: [], checkpoints: {} };

/** The runs into the stream of this epoch, oldest first; none for a new one. */
export function readHistory(directory: string, epoch: string): History {
  const file = fileOf(directory, epoch);
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : EMPTY;
}

/** Remembers them: kept tables hold the results of all. */
export function writeHistory(directory: string, epoch: string, history: History): void {
  mkdirSync(path.dirname(fileOf(directory, epoch)), { recursive: true });
  writeWhole(fileOf(directory, epoch), JSON.stringify(history));
}

function fileOf(directory: string, epoch: string): string {
  return path.join(directory, 'runs', `${epoch}.json`);
}
