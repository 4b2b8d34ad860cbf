import type { Accumulator, Encoded } from '../accumulator.ts';
import { ByteReader, ByteWriter, unzigzag, zigzag } from '../varint.ts';
import { BIN_MAX, BIN_MIN, BINNED_MIN, binOf, middleOf } from './log-bins.ts';
import { bytesIn, listIn, misread, numberIn } from './stored.ts';

/**
 * Quantiles within 1 % of the exact ones, as DDSketch has them: how many values fell into each bin of
 * `log-bins.ts`, of the positive and of the negative values apart, and how many were zero.
 *
 * Invariants
 * 1. Of each sign at most `BINS_MAX` bins are kept: those farthest from zero. What is nearer to zero
 *    counts in the nearest bin that is kept. (DDSketch's "collapse lowest".)
 * 2. So a state follows from the values alone, whatever their order and however they were merged. A bin
 *    that a part of the values leaves out is below `BINS_MAX` bins of that part, and so below those of
 *    the whole, which are no lower; what was moved out of it moves on with the bin it went to.
 */
export interface QuantilesState {
  readonly positive: Bins;
  /** By the bin of the value without its sign. */
  readonly negative: Bins;
  zeros: number;
  min: number;
  max: number;
}

/** How many values are in each bin. */
type Bins = Map<number, number>;

/** Bins of each sign: values from 1 to 600,000,000 fit in without loss, wherever they lie. */
export const BINS_MAX = 1_024;

/** Relative error of a quantile whose bin was not given up. */
export const RELATIVE_ERROR_MAX = 0.01;

/** The values at some percents, named `p50`; null for none. */
export type Percentiles = Readonly<Record<string, number | null>>;

/**
 * Quantiles of relative error 1 %: the p-th is near the value at index `floor(p / 100 * (n - 1))` of all
 * n values in their order. The least and the greatest are exact.
 *
 * @param percents 0 to 100 each
 */
export function quantiles(
  percents: readonly number[],
): Accumulator<number, QuantilesState, Percentiles> {
  return {
    name: 'quantiles-1',
    // At most, for up to 10^13 values: per bin 2 bytes for the distance to the one before, 5 for the count.
    size: { typical: 48, max: 2 * (7 * BINS_MAX + 8) + 34 },
    empty: emptyState,
    add: addValue,
    merge: (left, right) => ({
      positive: mergeBins(left.positive, right.positive),
      negative: mergeBins(left.negative, right.negative),
      zeros: left.zeros + right.zeros,
      min: Math.min(left.min, right.min),
      max: Math.max(left.max, right.max),
    }),
    encode: encodeState,
    decode: decodeState,
    result: (state) => {
      const found = valuesAt(state, percents);
      return Object.fromEntries(
        percents.map((percent, index) => [`p${percent}`, found[index] ?? null]),
      );
    },
  };
}

function emptyState(): QuantilesState {
  return {
    positive: new Map(),
    negative: new Map(),
    zeros: 0,
    min: Number.POSITIVE_INFINITY,
    max: Number.NEGATIVE_INFINITY,
  };
}

function addValue(state: QuantilesState, input: number): QuantilesState {
  const value = input + 0;
  if (Math.abs(value) < BINNED_MIN) state.zeros += 1;
  else addTo(value > 0 ? state.positive : state.negative, binOf(Math.abs(value)), 1);
  state.min = Math.min(state.min, value);
  state.max = Math.max(state.max, value);
  return state;
}

function addTo(bins: Bins, bin: number, count: number): void {
  bins.set(bin, (bins.get(bin) ?? 0) + count);
  if (bins.size > BINS_MAX) foldLowest(bins);
}

function mergeBins(left: Bins, right: Bins): Bins {
  const merged = new Map(left);
  for (const [bin, count] of right) merged.set(bin, (merged.get(bin) ?? 0) + count);
  if (merged.size > BINS_MAX) foldLowest(merged);
  return merged;
}

/** Holds invariant 1: moves what is in the lowest bin to the next one until they fit. */
function foldLowest(bins: Bins): void {
  while (bins.size > BINS_MAX) {
    let [lowest, next] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
    for (const bin of bins.keys()) {
      if (bin < lowest) [lowest, next] = [bin, lowest];
      else if (bin < next) next = bin;
    }
    bins.set(next, (bins.get(next) ?? 0) + (bins.get(lowest) ?? 0));
    bins.delete(lowest);
  }
}

function ascending(bins: Bins): [bin: number, count: number][] {
  return [...bins].sort(([left], [right]) => left - right);
}

function valuesAt(state: QuantilesState, percents: readonly number[]): readonly (number | null)[] {
  const { positive, negative, zeros, min, max } = state;
  const counts = [
    ...ascending(negative)
      .reverse()
      .map(([bin, count]) => [-middleOf(bin), count] as const),
    [0, zeros] as const,
    ...ascending(positive).map(([bin, count]) => [middleOf(bin), count] as const),
  ];
  const total = counts.reduce((sum, [, count]) => sum + count, 0);
  return percents.map((percent) => {
    if (total === 0) return null;
    let rest = Math.floor((percent * (total - 1)) / 100);
    if (rest === 0) return min;
    if (rest === total - 1) return max;
    for (const [value, count] of counts) {
      // No value lies outside of the least and the greatest, which are known exactly.
      if (rest < count) return Math.min(Math.max(value, min), max);
      rest -= count;
    }
    return max;
  });
}

/**
 * Null of nothing, else the least value, the greatest, and bytes of varints: zeros; the positive bins;
 * the negative bins. Bins: how many; the lowest (zigzag); then per bin, ascending, its distance to the one
 * before less 1 (none for the lowest) and its count less 1.
 */
function encodeState({ positive, negative, zeros, min, max }: QuantilesState): Encoded {
  if (min > max) return null;
  const writer = new ByteWriter();
  writer.varint(zeros);
  writeBins(writer, positive);
  writeBins(writer, negative);
  return [min, max, writer.finish()];
}

function writeBins(writer: ByteWriter, bins: Bins): void {
  writer.varint(bins.size);
  let before: number | undefined;
  for (const [bin, count] of ascending(bins)) {
    writer.varint(before === undefined ? zigzag(bin) : bin - before - 1);
    writer.varint(count - 1);
    before = bin;
  }
}

function decodeState(encoded: Encoded): QuantilesState {
  if (encoded === null) return emptyState();
  const [min, max, bytes] = listIn('quantiles', encoded, 3);
  const reader = new ByteReader(bytesIn('quantiles', bytes));
  const state = {
    zeros: reader.varint(),
    positive: readBins(reader),
    negative: readBins(reader),
    min: numberIn('quantiles', min),
    max: numberIn('quantiles', max),
  };
  if (!reader.done || state.min > state.max) {
    throw misread('quantiles', encoded, '[least, greatest, bins]');
  }
  return state;
}

function readBins(reader: ByteReader): Bins {
  const bins: Bins = new Map();
  const size = reader.varint();
  let before: number | undefined;
  for (let index = 0; index < Math.min(size, BINS_MAX + 1); index += 1) {
    const step = reader.varint();
    const bin: number = before === undefined ? unzigzag(step) : before + step + 1;
    bins.set(bin, reader.varint() + 1);
    before = bin;
  }
  const inRange = [...bins.keys()].every((bin) => bin >= BIN_MIN && bin <= BIN_MAX);
  if (size > BINS_MAX || !inRange) {
    throw misread('quantiles', size, `at most ${BINS_MAX} bins from ${BIN_MIN} to ${BIN_MAX}`);
  }
  return bins;
}
