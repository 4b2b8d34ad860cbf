/** What the driver and its worker tell each other. */

/** A simulation of the battery, by its place in it. */
export interface RunName {
  readonly schedule: string;
  readonly seed: number;
}

/** What a worker is started with. */
export interface WorkerData {
  /** The bundled scripts, and where they come from, for what they `require`. */
  readonly switching: string;
  readonly covering: string;
  readonly root: string;
  readonly mutants: number;
}

/** What a worker is told. */
export type Order =
  | { readonly type: 'cover' }
  | { readonly type: 'try'; readonly mutant: number; readonly runs: readonly RunName[] };

/** What it answers. */
export type Answer =
  | { readonly type: 'covered'; readonly coverage: Coverage }
  /** Sent before each run, so that one that doesn't end is known. */
  | { readonly type: 'running'; readonly run: RunName }
  | { readonly type: 'killed'; readonly run: RunName | undefined; readonly why: string }
  | { readonly type: 'survived' }
  /** The worker itself failed. */
  | { readonly type: 'broken'; readonly why: string };

/** Which mutants are reached by what, without any of them acting. */
export interface Coverage {
  /** Mutants that are reached when the modules are loaded: every run may tell them. */
  readonly loading: readonly number[];
  readonly runs: readonly CoveredRun[];
  /** What was wrong without a mutant; must be empty. */
  readonly violations: readonly string[];
}

/** One run of the battery. */
export interface CoveredRun extends RunName {
  /** Not a whole simulation; tried last. */
  readonly scene: boolean;
  readonly mutants: readonly number[];
  /** Milliseconds of CPU. */
  readonly ms: number;
}
