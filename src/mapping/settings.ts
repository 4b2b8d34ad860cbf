import { compileFilters } from './filter.ts';
import { MappingSettingsError } from './settings-error.ts';
import type { StartingPosition } from './starting-position.ts';

/**
 * Settings of an event source mapping for Kinesis, named and limited as AWS does. Defaults are those of
 * a mapping, not of Millrace's stacks.
 * https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-parameters.html
 */
export interface MappingSettings {
  /** Records in a batch at most, 1 to 10,000; default 100. */
  readonly batchSize: number;
  /** How long records are collected, 0 to 300,000 ms in whole seconds; default 0. */
  readonly windowMs: number;
  /** Batches of one shard in flight at the same time, 1 to 10; default 1. */
  readonly parallelization: number;
  /** Halve a batch whose invocation failed; default false. */
  readonly bisect: boolean;
  /** Read the partial batch response; without it any answer is a success. Default false. */
  readonly reportsFailures: boolean;
  /** Tries after the first, -1 (for ever, the default) to 10,000. */
  readonly retriesMax: number;
  /** Age from which a record is given up: -1 (never, the default), or 60,000 to 604,800,000 ms. */
  readonly recordAgeMaxMs: number;
  /** Where a new mapping starts to read. AWS wants it named; default here is TRIM_HORIZON. */
  readonly startingPosition: StartingPosition;
  /**
   * Patterns of FilterCriteria, each a JSON text; a record that fits none is dropped. Up to 10; default none,
   * which drops nothing.
   */
  readonly filters: readonly string[];
}

const DEFAULTS: MappingSettings = {
  batchSize: 100,
  windowMs: 0,
  parallelization: 1,
  bisect: false,
  reportsFailures: false,
  retriesMax: -1,
  recordAgeMaxMs: -1,
  startingPosition: { type: 'TRIM_HORIZON' },
  filters: [],
};

interface Range {
  readonly low: number;
  readonly high: number;
  /** A value outside of the range that is allowed too. */
  readonly or?: number;
}

const RANGED = [
  'batchSize',
  'windowMs',
  'parallelization',
  'retriesMax',
  'recordAgeMaxMs',
] as const;

const RANGES: Readonly<Record<(typeof RANGED)[number], Range>> = {
  batchSize: { low: 1, high: 10_000 },
  windowMs: { low: 0, high: 300_000 },
  parallelization: { low: 1, high: 10 },
  retriesMax: { low: -1, high: 10_000 },
  recordAgeMaxMs: { low: 60_000, high: 604_800_000, or: -1 },
};

/**
 * Fills in the defaults and checks the ranges.
 *
 * @throws MappingSettingsError naming the setting, what was got and what is allowed
 */
export function mappingSettings(given: Partial<MappingSettings> = {}): MappingSettings {
  const settings = { ...DEFAULTS, ...given };
  for (const name of RANGED) {
    const { low, high, or } = RANGES[name];
    const value = settings[name];
    const within = Number.isInteger(value) && value >= low && value <= high;
    if (within || value === or) continue;
    const expected = `a whole number from ${low} to ${high}${or === undefined ? '' : `, or ${or}`}`;
    throw new MappingSettingsError(name, value, expected);
  }
  if (settings.windowMs % 1000 !== 0) {
    throw new MappingSettingsError('windowMs', settings.windowMs, 'whole seconds');
  }
  compileFilters(settings.filters);
  return settings;
}
