import { BOUNDS_MAX } from '../accumulators/histogram.ts';
import { DefinitionError } from '../errors.ts';
import { checkOptions, nameRule } from './check.ts';
import type {
  ColumnDefinition,
  ColumnKind,
  ColumnOptions,
  ColumnScope,
  Columns,
} from './column-types.ts';

/** The part of the vocabulary that says what a window keeps. */
export function makeColumnScope(path: string): ColumnScope<unknown> {
  const spread = (kind: 'variance' | 'stddev', of: unknown, options: { sample?: boolean } = {}) => {
    checkOptions(`${path}: options of ${kind}`, options, ['sample']);
    return column<never>(kind, of, { sample: options.sample ?? false });
  };
  return {
    count: (where) => column('count', where),
    share: (where) => column('share', where),
    sum: (of) => column('sum', of),
    mean: (of) => column('mean', of),
    min: (of) => column('min', of),
    max: (of) => column('max', of),
    variance: (of, options) => spread('variance', of, options),
    stddev: (of, options) => spread('stddev', of, options),
    percentiles: (of, percents) => column('percentiles', of, { percents }),
    histogram: (of, bounds) => column('histogram', of, { bounds }),
    distinct: (of) => column('distinct', of),
    topK: (of, options) => {
      checkOptions(`${path}: options of topK`, options, ['k', 'weight']);
      const { k, weight } = options;
      return {
        ...column<never>('topK', of, { k }),
        ...(weight === undefined
          ? {}
          : { weight: weight as NonNullable<ColumnDefinition['weight']> }),
      };
    },
    first: (of) => column('first', of),
    last: (of) => column('last', of),
    use: (accumulator, of) => ({ ...column('use', of), accumulator: accumulator as never }),
  };
}

function column<Result>(
  kind: ColumnKind,
  of: unknown,
  options?: ColumnOptions,
): ColumnDefinition<Result> {
  return {
    kind,
    of: of as ColumnDefinition['of'],
    ...(options === undefined ? {} : { options }),
  };
}

/** Percents that one column may have. */
const PERCENTS_MAX = 20;

/** Most keys that a top may have. */
const K_MAX = 100;

const FIELD = ['string', 'function'];

interface Rule {
  /** Types that the input's definition may have. */
  readonly of: readonly string[];
  /** How such a column is written. */
  readonly example: string;
  readonly check?: (path: string, column: ColumnDefinition) => void;
}

const RULES: Readonly<Record<ColumnKind, Rule>> = {
  count: { of: ['undefined', 'function'], example: 'count()' },
  share: { of: FIELD, example: 'share(function or field)' },
  sum: { of: FIELD, example: 'sum(field)' },
  mean: { of: FIELD, example: 'mean(field)' },
  min: { of: FIELD, example: 'min(field)' },
  max: { of: FIELD, example: 'max(field)' },
  variance: { of: FIELD, example: 'variance(field)', check: checkSample },
  stddev: { of: FIELD, example: 'stddev(field)', check: checkSample },
  percentiles: { of: FIELD, example: 'percentiles(field, [50, 99])', check: checkPercents },
  histogram: { of: FIELD, example: 'histogram(field, [0, 10, 100])', check: checkBounds },
  distinct: { of: FIELD, example: 'distinct(field)' },
  topK: { of: FIELD, example: 'topK(field, { k: 10 })', check: checkTop },
  first: { of: FIELD, example: 'first(field)' },
  last: { of: FIELD, example: 'last(field)' },
  use: { of: FIELD, example: 'use(accumulator, field)', check: checkAccumulator },
};

/** Checks columns that JavaScript users, or casts, can have got wrong. @throws DefinitionError */
export function checkColumns(path: string, keep: Columns): void {
  if (typeof keep !== 'object' || keep === null || Object.keys(keep).length === 0) {
    throw new DefinitionError(path, keep, 'an object with at least one column, such as count()');
  }
  for (const [name, column] of Object.entries(keep)) {
    nameRule(`${path}.${name}`, name);
    checkColumn(`${path}.${name}`, column);
  }
}

function checkColumn(path: string, column: ColumnDefinition): void {
  const rule = Object.hasOwn(RULES, column?.kind) ? RULES[column.kind] : undefined;
  if (rule === undefined) {
    throw new DefinitionError(path, column, 'a column, such as count() or sum(field)');
  }
  if (!rule.of.includes(typeof column.of) || column.of === '') {
    throw new DefinitionError(path, column.of, `a field or a function of the row: ${rule.example}`);
  }
  rule.check?.(path, column);
}

function checkPercents(path: string, { options }: ColumnDefinition): void {
  const percents: unknown = options?.percents;
  const isRight =
    isList(percents, PERCENTS_MAX) &&
    percents.every((percent) => isNumber(percent) && percent >= 0 && percent <= 100) &&
    new Set(percents).size === percents.length;
  if (isRight) return;
  const expected = `1 to ${PERCENTS_MAX} different numbers from 0 to 100, such as [50, 99]`;
  throw new DefinitionError(`${path}.percents`, percents, expected);
}

function checkBounds(path: string, { options }: ColumnDefinition): void {
  const bounds: unknown = options?.bounds;
  const isRight =
    isList(bounds, BOUNDS_MAX) &&
    bounds.every(
      (bound, index) => isNumber(bound) && (index === 0 || bound > Number(bounds[index - 1])),
    );
  if (isRight) return;
  const expected = `1 to ${BOUNDS_MAX} numbers, ascending, such as [0, 10, 100]`;
  throw new DefinitionError(`${path}.bounds`, bounds, expected);
}

function checkTop(path: string, { options, weight }: ColumnDefinition): void {
  const k: unknown = options?.k;
  if (!isNumber(k) || !Number.isInteger(k) || k < 1 || k > K_MAX) {
    throw new DefinitionError(`${path}.k`, k, `a whole number from 1 to ${K_MAX}`);
  }
  if (weight !== undefined && !FIELD.includes(typeof weight)) {
    throw new DefinitionError(`${path}.weight`, weight, 'a field or a function of the row');
  }
}

function checkSample(path: string, { options }: ColumnDefinition): void {
  if (typeof options?.sample === 'boolean') return;
  throw new DefinitionError(`${path}.sample`, options?.sample, 'true or false');
}

const METHODS = ['empty', 'add', 'merge', 'encode', 'decode', 'result'] as const;

/** Bytes of a state that a table's item can hold beside its keys and other columns. */
const STATE_BYTES_MAX = 100_000;

function checkAccumulator(path: string, { accumulator }: ColumnDefinition): void {
  if (typeof accumulator?.name !== 'string' || accumulator.name === '') {
    throw new DefinitionError(
      path,
      accumulator,
      'use(accumulator, field), of an accumulator with a name',
    );
  }
  const missing = METHODS.find((method) => typeof accumulator[method] !== 'function');
  if (missing !== undefined) {
    throw new DefinitionError(`${path}.${missing}`, accumulator[missing], 'a function');
  }
  const { typical, max } = accumulator.size ?? { typical: 1, max: 1 };
  if (
    isNumber(typical) &&
    typical >= 0 &&
    isNumber(max) &&
    max >= typical &&
    max <= STATE_BYTES_MAX
  ) {
    return;
  }
  const expected = `bytes as usual and at most: 0 <= typical <= max <= ${STATE_BYTES_MAX}`;
  throw new DefinitionError(`${path}.size`, accumulator.size, expected);
}

function isList(value: unknown, max: number): value is readonly unknown[] {
  return Array.isArray(value) && value.length >= 1 && value.length <= max;
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}
