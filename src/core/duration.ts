import { DefinitionError } from './errors.ts';

type UnitWord = 'millisecond' | 'second' | 'minute' | 'hour' | 'day' | 'week';

/** A time in words: `'15 minutes'`, `'1 hour'`, `'0 seconds'`. */
export type Duration = `${number} ${UnitWord | `${UnitWord}s`}`;

const UNIT_MS: Readonly<Record<UnitWord, number>> = {
  millisecond: 1,
  second: 1_000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
  week: 604_800_000,
};

/** Limits of a duration, in milliseconds. */
export interface DurationRange {
  /** Default 0. */
  readonly minMs?: number;
  /** Default ten years. */
  readonly maxMs?: number;
}

const TEN_YEARS_MS = 3650 * UNIT_MS.day;

/**
 * Milliseconds of a duration: a number and a unit from milliseconds to weeks, a whole number of
 * milliseconds in all.
 *
 * @throws DefinitionError naming the path, what was got and what is allowed
 */
export function durationMs(path: string, text: unknown, range: DurationRange = {}): number {
  const match = typeof text === 'string' ? /^(\d+(?:\.\d+)?) ([a-z]+?)s?$/.exec(text) : null;
  const unit = match?.[2];
  if (match === null || unit === undefined || !isUnit(unit)) {
    throw new DefinitionError(path, text, "a number and a unit, such as '15 minutes' or '1 hour'");
  }
  const ms = Math.round(Number(match[1]) * UNIT_MS[unit] * 1e6) / 1e6;
  const { minMs = 0, maxMs = TEN_YEARS_MS } = range;
  if (!Number.isInteger(ms)) throw new DefinitionError(path, text, 'whole milliseconds');
  if (ms >= minMs && ms <= maxMs) return ms;
  throw new DefinitionError(path, text, `${durationText(minMs)} to ${durationText(maxMs)}`);
}

/** A duration in the largest unit that gives a whole number, such as `90 minutes`. */
export function durationText(ms: number): string {
  const units = Object.entries(UNIT_MS).reverse();
  const [unit, size] = units.find(([, unitMs]) => ms % unitMs === 0 && ms >= unitMs) ?? [
    'second',
    1_000,
  ];
  const count = ms / size;
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}

function isUnit(word: string): word is UnitWord {
  return Object.hasOwn(UNIT_MS, word);
}
