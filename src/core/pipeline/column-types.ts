import type { Accumulator } from '../accumulator.ts';
import type { Bucket } from '../accumulators/histogram.ts';
import type { Scalar } from '../accumulators/scalar.ts';
import type { TopEntry } from '../accumulators/top-k.ts';

/** A pure function of a row; null and undefined are skipped. */
export type Fn<T, V> = (row: T) => V | null | undefined;

/** The fields of T whose values are V. Used in place: only then does an error list the names. */
export type FieldsOf<T, V> = {
  [K in keyof T as NonNullable<T[K]> extends V ? K & string : never]: T[K];
};

/** Kinds of columns that Millrace brings, and the user's own. */
export type ColumnKind =
  | 'count'
  | 'share'
  | 'sum'
  | 'mean'
  | 'min'
  | 'max'
  | 'variance'
  | 'stddev'
  | 'percentiles'
  | 'histogram'
  | 'distinct'
  | 'topK'
  | 'first'
  | 'last'
  | 'use';

/** What a column is told besides its input. */
export interface ColumnOptions {
  /** Of `percentiles`: 1 to 20 different numbers from 0 to 100. */
  readonly percents?: readonly number[];
  /** Of `histogram`: 1 to 100 numbers, ascending. */
  readonly bounds?: readonly number[];
  /** Of `topK`: 1 to 100. */
  readonly k?: number;
  /** Of `variance` and `stddev`. */
  readonly sample?: boolean;
}

/** One column of a window, as data. */
export interface ColumnDefinition<Result = unknown> {
  readonly kind: ColumnKind;
  /** The field, or the function, that gives the input; undefined counts every row. */
  readonly of: string | ((row: never) => unknown) | undefined;
  /** Of `topK`: the field, or the function, that gives the weight; undefined weighs each row 1. */
  readonly weight?: string | ((row: never) => unknown);
  readonly options?: ColumnOptions;
  /** The user's own accumulator, of kind `use`. */
  readonly accumulator?: Accumulator<never, unknown, Result>;
  /** Only in types. */
  readonly Result?: Result;
}

/** The columns of a window by name. */
export type Columns = Readonly<Record<string, ColumnDefinition>>;

/** The results of columns. */
export type ResultOf<K extends Columns> = {
  readonly [N in keyof K]: K[N] extends ColumnDefinition<infer Result> ? Result : never;
};

/** What a field holds or a function gives, without null and undefined. */
type ValueOf<T, O> = O extends keyof T
  ? NonNullable<T[O]>
  : O extends (row: never) => infer V
    ? NonNullable<V>
    : never;

/**
 * The columns of a window: what is kept of its rows. It knows the type of the rows. The inputs are spelled
 * out in place: only then does a compile error list the names that fit.
 */
export interface ColumnScope<T> {
  /** How many rows, or how many for which the function says true. */
  count(where?: Fn<T, boolean>): ColumnDefinition<number>;
  /** The share of true among true and false, 0 to 1; null for none. */
  share<const O extends keyof FieldsOf<T, boolean> | Fn<T, boolean>>(
    where: O,
  ): ColumnDefinition<number | null>;
  /** The exact sum; 0 for none. */
  sum<const O extends keyof FieldsOf<T, number> | Fn<T, number>>(of: O): ColumnDefinition<number>;
  /** The mean; null for none. */
  mean<const O extends keyof FieldsOf<T, number> | Fn<T, number>>(
    of: O,
  ): ColumnDefinition<number | null>;
  /** The least; null for none. */
  min<const O extends keyof FieldsOf<T, number> | Fn<T, number>>(
    of: O,
  ): ColumnDefinition<number | null>;
  /** The greatest; null for none. */
  max<const O extends keyof FieldsOf<T, number> | Fn<T, number>>(
    of: O,
  ): ColumnDefinition<number | null>;
  /**
   * The mean square of the distance from the mean, exact; null for none. With `sample`, of a sample: divided
   * by one less than the count, null for one value.
   */
  variance<const O extends keyof FieldsOf<T, number> | Fn<T, number>>(
    of: O,
    options?: { readonly sample?: boolean },
  ): ColumnDefinition<number | null>;
  /** The square root of the variance. */
  stddev<const O extends keyof FieldsOf<T, number> | Fn<T, number>>(
    of: O,
    options?: { readonly sample?: boolean },
  ): ColumnDefinition<number | null>;
  /** The values at these percents, within 1 %, named `p50` and so on; null for none. */
  percentiles<const O extends keyof FieldsOf<T, number> | Fn<T, number>, const P extends number>(
    of: O,
    percents: readonly P[],
  ): ColumnDefinition<{ readonly [N in P as `p${N}`]: number | null }>;
  /** How many values are below the first bound, from it to below the second, ..., from the last on. */
  histogram<const O extends keyof FieldsOf<T, number> | Fn<T, number>>(
    of: O,
    bounds: readonly number[],
  ): ColumnDefinition<readonly Bucket[]>;
  /** How many different values: exact up to 255, beyond that with a standard error of 2.15 %. */
  distinct<const O extends keyof FieldsOf<T, Scalar> | Fn<T, Scalar>>(
    of: O,
  ): ColumnDefinition<number>;
  /**
   * The values with the most rows, or with the most weight, the heaviest first. Exact up to about a thousand
   * values; what is promised beyond is in docs/PIPELINES.md.
   */
  topK<const O extends keyof FieldsOf<T, Scalar> | Fn<T, Scalar>>(
    of: O,
    options: TopKOptions<keyof FieldsOf<T, number> | Fn<T, number>>,
  ): ColumnDefinition<readonly TopEntry<ValueOf<T, O> & Scalar>[]>;
  /** The value of the earliest event; null for none. */
  first<const O extends keyof FieldsOf<T, Scalar> | Fn<T, Scalar>>(
    of: O,
  ): ColumnDefinition<ValueOf<T, O> | null>;
  /** The value of the latest event; null for none. */
  last<const O extends keyof FieldsOf<T, Scalar> | Fn<T, Scalar>>(
    of: O,
  ): ColumnDefinition<ValueOf<T, O> | null>;
  /** An accumulator of one's own. It must keep the laws that `Accumulator` names. */
  use<Input, State, Result>(
    accumulator: Accumulator<Input, State, Result>,
    of: keyof FieldsOf<T, Input> | Fn<T, Input>,
  ): ColumnDefinition<Result>;
}

/** Options of `topK`. */
export interface TopKOptions<Weight> {
  /** How many values, 1 to 100. */
  readonly k: number;
  /** What a row weighs, 10^-12 to 10^18, or 0 to leave it out; default 1. */
  readonly weight?: Weight;
}
