import { type Accumulator, isEncoded } from './accumulator.ts';
import { distinct } from './accumulators/distinct.ts';
import { first, KEPT_BYTES_MAX, last } from './accumulators/first-last.ts';
import { histogram } from './accumulators/histogram.ts';
import { count, max, mean, min, sum } from './accumulators/numbers.ts';
import { quantiles } from './accumulators/quantiles.ts';
import { isScalar, type Scalar } from './accumulators/scalar.ts';
import { share } from './accumulators/share.ts';
import {
  KEY_BYTES_MAX,
  topK,
  WEIGHT_MAX,
  WEIGHT_MIN,
  type WeightedKey,
} from './accumulators/top-k.ts';
import { stddev, variance } from './accumulators/variance.ts';
import { reader, TransformError } from './compile-field.ts';
import { DefinitionError } from './errors.ts';
import type { ColumnDefinition, ColumnKind } from './pipeline/column-types.ts';
import type { Column } from './program.ts';

type AnyAccumulator = Accumulator<unknown, unknown, unknown>;

/** Where a column stands, and what it says. */
interface Given {
  readonly path: string;
  readonly definition: ColumnDefinition;
  /** What the definition reads of a row; null where there is nothing. */
  readonly read: (row: unknown) => unknown;
}

/** How a kind of column is kept, and what of a row goes in. */
type Compiled = readonly [accumulator: unknown, inputOf: Column['inputOf']];

const KINDS: Readonly<Record<ColumnKind, (given: Given) => Compiled>> = {
  count: ({ read, definition }) => [
    count(),
    definition.of === undefined ? () => true : (row) => (read(row) === true ? true : null),
  ],
  share: (given) => [share(), input(given, booleanIn)],
  sum: (given) => [sum(), input(given, numberIn)],
  mean: (given) => [mean(), input(given, numberIn)],
  min: (given) => [min(), input(given, numberIn)],
  max: (given) => [max(), input(given, numberIn)],
  variance: (given) => [variance(spreadOf(given)), input(given, numberIn)],
  stddev: (given) => [stddev(spreadOf(given)), input(given, numberIn)],
  percentiles: (given) => [
    quantiles(given.definition.options?.percents ?? []),
    input(given, numberIn),
  ],
  histogram: (given) => [histogram(given.definition.options?.bounds ?? []), input(given, numberIn)],
  distinct: (given) => [distinct(), input(given, scalarIn)],
  topK: (given) => [topK(given.definition.options?.k ?? 1), weightedKey(given)],
  first: (given) => [first(), input(given, keptIn)],
  last: (given) => [last(), input(given, keptIn)],
  use: (given) => ownAccumulator(given),
};

/** A column ready to run. @throws DefinitionError */
export function compileColumn(path: string, name: string, definition: ColumnDefinition): Column {
  const { kind, of } = definition;
  const value = of === undefined ? () => true : reader(path, of);
  const read = (row: unknown) => value(row) ?? null;
  const [accumulator, inputOf] = KINDS[kind]({ path, definition, read });
  return { name, accumulator: accumulator as AnyAccumulator, inputOf };
}

/** Checks what is read; null is skipped. */
function input(
  { path, read }: Given,
  check: (path: string, value: unknown) => unknown,
): Column['inputOf'] {
  return (row) => {
    const value = read(row);
    return value === null ? null : check(path, value);
  };
}

function spreadOf({ definition }: Given): { readonly sample: boolean } {
  return { sample: definition.options?.sample ?? false };
}

function numberIn(path: string, value: unknown): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw new TransformError(path, value, 'a finite number or null');
}

function booleanIn(path: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  throw new TransformError(path, value, 'true, false or null');
}

function scalarIn(path: string, value: unknown): Scalar {
  if (isScalar(value)) return value;
  throw new TransformError(path, value, 'a text, a finite number, true, false or null');
}

const utf8 = new TextEncoder();

/** States keep such values as they are, so their length has a bound. */
function boundedIn(path: string, value: unknown, bytesMax: number): Scalar {
  const scalar = scalarIn(path, value);
  if (typeof scalar !== 'string' || scalar.length * 3 <= bytesMax) return scalar;
  if (utf8.encode(scalar).length <= bytesMax) return scalar;
  throw new TransformError(path, value, `a text of at most ${bytesMax} bytes`);
}

function keptIn(path: string, value: unknown): Scalar {
  return boundedIn(path, value, KEPT_BYTES_MAX);
}

function weightedKey({ path, definition, read }: Given): Column['inputOf'] {
  const { weight } = definition;
  const readWeight = weight === undefined ? () => 1 : reader(`${path}.weight`, weight);
  return (row): WeightedKey | null => {
    const key = read(row);
    const given = readWeight(row) ?? 0;
    if (key === null || given === 0) return null;
    return { key: boundedIn(path, key, KEY_BYTES_MAX), weight: weightIn(`${path}.weight`, given) };
  };
}

function weightIn(path: string, value: unknown): number {
  if (typeof value === 'number' && value >= WEIGHT_MIN && value <= WEIGHT_MAX) return value;
  throw new TransformError(path, value, '0, or a number from 2^-40 to 2^60');
}

/**
 * The user's own accumulator. An input that it can't take is found here, while the record can still be
 * quarantined: thrown later, while cells are written, it would stop its partition.
 */
function ownAccumulator({ path, definition, read }: Given): Compiled {
  const accumulator = definition.accumulator as AnyAccumulator | undefined;
  if (accumulator === undefined) {
    throw new DefinitionError(path, definition, 'use(accumulator, field)');
  }
  const inputOf = (row: unknown) => {
    const value = read(row);
    if (value === null) return null;
    const encoded = accumulator.encode(accumulator.add(accumulator.empty(), value, 0, ''));
    if (isEncoded(encoded)) return value;
    throw new TransformError(path, encoded, `what the accumulator ${accumulator.name} can store`);
  };
  return [accumulator, inputOf];
}
