/** How often what goes wrong: probabilities from 0 to 1, of each request unless said otherwise. */
export interface FaultRates {
  /** The container dies: before the request is sent, or after its answer came. */
  readonly crash: number;
  /** The request is refused and changes nothing. */
  readonly refuse: number;
  /** It is applied, and its answer is lost. */
  readonly loseAnswer: number;
  /** It seems lost, and is applied up to `LATE_MS` later. */
  readonly applyLate: number;
  /** It takes up to `SLOW_MS`, so that an invocation may run out of time. */
  readonly slow: number;
  /** Of each invocation: every request is refused for up to `OUTAGE_MS` from its start. */
  readonly outage: number;
  /** Of each invocation: Lambda refuses to run it. */
  readonly throttle: number;
  /** Of each invocation: it runs in a container that knows nothing. */
  readonly coldStart: number;
  /** Of each invocation: afterwards the mapping forgets how far it was, and goes back. */
  readonly loseCheckpoint: number;
  /** Of each event: the producer's answer is lost, and it sends the event again a little later. */
  readonly sendTwice: number;
  /** Of each event: a shard is split or merged before it. */
  readonly reshard: number;
}

/** The longest that a request applied late comes after its call, milliseconds. */
export const LATE_MS = 30_000;

/** The longest that a slow request takes, milliseconds. */
export const SLOW_MS = 9_000;

/** The longest outage, milliseconds. */
export const OUTAGE_MS = 20_000;

/** The longest time until a producer sends again, milliseconds. */
export const RESEND_MS = 5_000;

/** Open shards beyond which none is split. */
export const SHARDS_MAX = 6;

/** Nothing goes wrong. */
export const NO_FAULTS: FaultRates = {
  crash: 0,
  refuse: 0,
  loseAnswer: 0,
  applyLate: 0,
  slow: 0,
  outage: 0,
  throttle: 0,
  coldStart: 0,
  loseCheckpoint: 0,
  sendTwice: 0,
  reshard: 0,
};

/** Everything goes wrong now and then. */
export const ALL_FAULTS: FaultRates = {
  crash: 0.03,
  refuse: 0.05,
  loseAnswer: 0.05,
  applyLate: 0.03,
  slow: 0.03,
  outage: 0.05,
  throttle: 0.05,
  coldStart: 0.2,
  loseCheckpoint: 0.15,
  sendTwice: 0.05,
  reshard: 0.03,
};

/** A fault's name. */
export type FaultName = keyof FaultRates;

/** The names of all faults. */
export const FAULT_NAMES = Object.keys(NO_FAULTS) as readonly FaultName[];

/** The usual rates of some faults (default all), nothing of the others. */
export function onlyFaults(names: readonly FaultName[] = FAULT_NAMES): FaultRates {
  const entries = FAULT_NAMES.map((name) => [name, names.includes(name) ? ALL_FAULTS[name] : 0]);
  return Object.fromEntries(entries) as Record<FaultName, number>;
}
