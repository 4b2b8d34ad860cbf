/** What a fault's rate counts by. */
export type FaultScope = 'request' | 'invocation' | 'put' | 'read' | 'schedule';

/** One kind of fault. */
export interface Fault {
  /** Each of these may be hit. */
  readonly of: FaultScope;
  /** How likely it is when everything goes wrong, 0 to 1. */
  readonly rate: number;
  /** What happens, for the summary and the documentation. */
  readonly text: string;
}

/** Everything that can go wrong. */
export const FAULTS = {
  crash: { of: 'request', rate: 0.015, text: 'the container dies before a request, or after it' },
  refuse: { of: 'request', rate: 0.05, text: 'a request is refused; of a batch, some items' },
  loseAnswer: { of: 'request', rate: 0.05, text: 'it is applied, and its answer is lost' },
  applyLate: { of: 'request', rate: 0.03, text: 'it seems lost, and is applied up to 30 s later' },
  slow: { of: 'request', rate: 0.03, text: 'it takes up to 9 s' },
  stall: {
    of: 'request',
    rate: 0.005,
    text: 'the function hangs at it, and may run out of time',
  },
  outage: {
    of: 'invocation',
    rate: 0.03,
    text: 'everything, or one service, is refused for up to 20 s',
  },
  kms: { of: 'invocation', rate: 0.02, text: 'KMS is out: everything encrypted, up to 20 s' },
  hotKey: { of: 'invocation', rate: 0.05, text: 'partitions of a table throttle, up to 15 s' },
  throttle: { of: 'invocation', rate: 0.05, text: 'Lambda refuses to run the function' },
  coldStart: { of: 'invocation', rate: 0.2, text: 'it runs in a container that knows nothing' },
  loseCheckpoint: { of: 'invocation', rate: 0.1, text: 'the mapping goes back' },
  refusePut: { of: 'put', rate: 0.05, text: 'a producer is refused some or all records' },
  sendTwice: { of: 'put', rate: 0.05, text: 'its answer is lost, or comes late: it sends again' },
  hotShard: { of: 'put', rate: 0.02, text: 'a shard takes little for up to 10 s' },
  reshard: { of: 'put', rate: 0.03, text: 'a shard is split, or two are merged' },
  shortRead: { of: 'read', rate: 0.1, text: 'a read gives nothing, or less than there is' },
  retention: { of: 'schedule', rate: 0.05, text: 'the mapping stands still beyond the retention' },
  recreate: { of: 'schedule', rate: 0.1, text: 'the stream is deleted and made again' },
} as const satisfies Readonly<Record<string, Fault>>;

/** A fault's name. */
export type FaultName = keyof typeof FAULTS;

/** How often what goes wrong: probabilities from 0 to 1. */
export type FaultRates = Readonly<Record<FaultName, number>>;

/** The names of all faults. */
export const FAULT_NAMES = Object.keys(FAULTS) as readonly FaultName[];

/** What a user does, or leaves undone, that loses records: no promise covers it. */
export const LOSING_FAULTS: readonly FaultName[] = ['retention', 'recreate'];

/** Faults of single requests: what every await of the protocol has to stand. */
export const REQUEST_FAULTS = [
  'crash',
  'refuse',
  'loseAnswer',
  'applyLate',
  'slow',
  'stall',
] as const satisfies readonly FaultName[];

/** Faults that last, and refuse what comes meanwhile. */
export const LASTING_FAULTS = ['outage', 'kms', 'hotKey'] as const satisfies readonly FaultName[];

/** One of them. */
export type LastingFault = (typeof LASTING_FAULTS)[number];

/** The longest that a request applied late comes after its call, milliseconds. */
export const LATE_MS = 30_000;

/** The longest that a slow request takes, milliseconds. */
export const SLOW_MS = 9_000;

/** About how long a function hangs that has no end of its own, milliseconds. */
export const STALL_MS = 30_000;

/** The longest outage, milliseconds. */
export const OUTAGE_MS = 20_000;

/** The longest time that partitions of a table throttle, milliseconds. */
export const HOT_KEY_MS = 15_000;

/** The longest time that a shard takes little, milliseconds. */
export const HOT_SHARD_MS = 10_000;

/** The longest that a lasting fault takes which began for the sake of one await, milliseconds. */
export const SHORT_MS = 5_000;

/** Open shards beyond which none is split. */
export const SHARDS_MAX = 6;

/** The usual rates of some faults (default all), nothing of the others. */
export function onlyFaults(names: readonly FaultName[] = FAULT_NAMES): FaultRates {
  const entries = FAULT_NAMES.map((name) => [name, names.includes(name) ? FAULTS[name].rate : 0]);
  return Object.fromEntries(entries) as FaultRates;
}

/** Nothing goes wrong. */
export const NO_FAULTS: FaultRates = onlyFaults([]);

/** Everything goes wrong now and then. */
export const ALL_FAULTS: FaultRates = onlyFaults();
