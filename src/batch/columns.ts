import { isEncoded } from '../core/accumulator.ts';
import type { ColumnDefinition, ColumnKind } from '../core/pipeline/column-types.ts';
import { nearest, nearestRatio, scaled } from './exact-number.ts';
import { plainDistinct } from './plain-distinct.ts';
import { plainQuantiles } from './plain-quantiles.ts';
import { plainTop } from './plain-top.ts';

/**
 * What a column has to be, worked out from the list of all its inputs. Where the pipeline keeps a sketch,
 * the same sketch is computed here in another way, all at once, and is held against the exact answer.
 */

/** An input of a column, and the event that it is of. */
export interface ColumnInput {
  /** Neither null nor undefined. */
  readonly value: unknown;
  /** Of `topK`. */
  readonly weight: number;
  readonly timeMs: number;
  /** The event's name. */
  readonly name: string;
}

/** A result, and what is wrong with it if it is too far from the exact one. */
export interface PlainResult {
  readonly value: unknown;
  readonly doubt?: string | undefined;
}

type Compute = (inputs: readonly ColumnInput[], column: ColumnDefinition) => PlainResult;

const COLUMNS: Readonly<Record<ColumnKind, Compute>> = {
  count: (inputs) => ({ value: inputs.filter(({ value }) => value === true).length }),
  share: (inputs) => ({ value: shareOf(inputs) }),
  sum: (inputs) => ({ value: nearest(total(numbersOf(inputs))) }),
  mean: (inputs) => ({ value: meanOf(numbersOf(inputs)) }),
  min: (inputs) => ({ value: sorted(numbersOf(inputs)).at(0) ?? null }),
  max: (inputs) => ({ value: sorted(numbersOf(inputs)).at(-1) ?? null }),
  variance: (inputs, { options }) => ({ value: varianceOf(numbersOf(inputs), options?.sample) }),
  stddev: (inputs, { options }) => {
    const variance = varianceOf(numbersOf(inputs), options?.sample);
    return { value: variance === null ? null : Math.sqrt(variance) };
  },
  percentiles: (inputs, { options }) =>
    plainQuantiles(sorted(numbersOf(inputs)), options?.percents ?? []),
  histogram: (inputs, { options }) => ({
    value: bucketsOf(numbersOf(inputs), options?.bounds ?? []),
  }),
  distinct: (inputs) => plainDistinct(inputs.map(({ value }) => value)),
  topK: (inputs, { options }) => plainTop(inputs, options?.k ?? 0),
  first: (inputs) => ({ value: [...inputs].sort(inTime).at(0)?.value ?? null }),
  last: (inputs) => ({ value: [...inputs].sort(inTime).at(-1)?.value ?? null }),
  use: (inputs, { accumulator }) => ({ value: usersResult(inputs, accumulator) }),
};

/** The result of a column over its inputs. */
export function computeColumn(
  column: ColumnDefinition,
  inputs: readonly ColumnInput[],
): PlainResult {
  return COLUMNS[column.kind](inputs, column);
}

/** The column's input of a row, or undefined where it is skipped. */
export function columnInput(
  { of, weight, kind }: ColumnDefinition,
  row: unknown,
): Pick<ColumnInput, 'value' | 'weight'> | undefined {
  const value = of === undefined ? true : read(of, row);
  const weighs = weight === undefined ? 1 : ((read(weight, row) ?? 0) as number);
  if (value === null || value === undefined || (kind === 'topK' && weighs === 0)) return undefined;
  return { value: value === 0 ? 0 : value, weight: weighs };
}

const IS_NUMBER = (value: unknown) => Number.isFinite(value);
const IS_FLAG = (value: unknown) => typeof value === 'boolean';
const IS_SCALAR = (value: unknown) =>
  IS_NUMBER(value) || IS_FLAG(value) || typeof value === 'string';
const isText = (value: unknown, bytes: number) =>
  typeof value !== 'string' || Buffer.byteLength(value) <= bytes;

/** What each kind takes; `use` is up to its accumulator. */
const TAKES: Readonly<Partial<Record<ColumnKind, (value: unknown, weight: number) => boolean>>> = {
  share: IS_FLAG,
  sum: IS_NUMBER,
  mean: IS_NUMBER,
  min: IS_NUMBER,
  max: IS_NUMBER,
  variance: IS_NUMBER,
  stddev: IS_NUMBER,
  percentiles: IS_NUMBER,
  histogram: IS_NUMBER,
  distinct: IS_SCALAR,
  topK: (value, weight) =>
    IS_SCALAR(value) &&
    isText(value, 256) &&
    IS_NUMBER(weight) &&
    weight >= 2 ** -40 &&
    weight <= 2 ** 60,
  first: (value) => IS_SCALAR(value) && isText(value, 1024),
  last: (value) => IS_SCALAR(value) && isText(value, 1024),
};

/** Whether a column can take an input; one that is skipped it can. @throws what the user's code throws */
export function isColumnInput(
  { kind, accumulator }: ColumnDefinition,
  input: Pick<ColumnInput, 'value' | 'weight'> | undefined,
): boolean {
  if (input === undefined) return true;
  if (accumulator !== undefined) {
    const state = accumulator.add(accumulator.empty(), input.value as never, 0, '');
    return isEncoded(accumulator.encode(state));
  }
  return TAKES[kind]?.(input.value, input.weight) ?? true;
}

function read(of: string | ((row: never) => unknown), row: unknown): unknown {
  return typeof of === 'function' ? of(row as never) : Reflect.get(Object(row), of);
}

function numbersOf(inputs: readonly ColumnInput[]): readonly number[] {
  return inputs.map(({ value }) => Number(value));
}

function sorted(values: readonly number[]): readonly number[] {
  return [...values].sort((left, right) => left - right);
}

function total(values: readonly number[]): bigint {
  return values.reduce((sum, value) => sum + scaled(value), 0n);
}

function shareOf(inputs: readonly ColumnInput[]): number | null {
  if (inputs.length === 0) return null;
  return inputs.filter(({ value }) => value === true).length / inputs.length;
}

function meanOf(values: readonly number[]): number | null {
  return values.length === 0 ? null : nearest(total(values)) / values.length;
}

/** The mean of squares less the square of the mean, in whole numbers of 2^-1074 and 2^-2148. */
function varianceOf(values: readonly number[], sample = false): number | null {
  const count = BigInt(values.length);
  const divisor = sample ? count - 1n : count;
  if (divisor < 1n) return null;
  const squares = values.reduce((sum, value) => sum + scaled(value) ** 2n, 0n);
  return nearestRatio(count * squares - total(values) ** 2n, count * divisor, 2);
}

function bucketsOf(values: readonly number[], bounds: readonly number[]): unknown {
  return [null, ...bounds].map((from, index) => {
    const to = bounds[index] ?? null;
    const isIn = (value: number) => (from === null || value >= from) && (to === null || value < to);
    return { from, to, count: values.filter(isIn).length };
  });
}

function inTime(left: ColumnInput, right: ColumnInput): number {
  if (left.timeMs !== right.timeMs) return left.timeMs - right.timeMs;
  if (left.name !== right.name) return left.name < right.name ? -1 : 1;
  if (typeof left.value !== typeof right.value) {
    return typeof left.value < typeof right.value ? -1 : 1;
  }
  if (typeof left.value === 'number') return left.value - Number(right.value);
  if (left.value === right.value) return 0;
  return String(left.value) < String(right.value) ? -1 : 1;
}

function usersResult(
  inputs: readonly ColumnInput[],
  accumulator: ColumnDefinition['accumulator'],
): unknown {
  if (accumulator === undefined) return null;
  const state = inputs.reduce(
    (before, { value, timeMs, name }) => accumulator.add(before, value as never, timeMs, name),
    accumulator.empty(),
  );
  return accumulator.result(state);
}
