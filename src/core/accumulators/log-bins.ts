/**
 * Bins whose width grows with the value: 35 to each doubling, so that the middle of a bin is within 1 %
 * (0.9902 %) of everything in it. The bins of DDSketch (Masson, Rim, Lee, "DDSketch: a fast and
 * fully-mergeable quantile sketch with relative-error guarantees", VLDB 2019) with gamma = 2^(1/35), so
 * that bins begin at powers of two and a value's bin follows from its bits, without a logarithm whose last
 * digit could differ from one engine to another.
 */

/** Bins to each doubling. */
const PER_DOUBLING = 35;

/** The width of a bin: 2^(1/35). */
const GAMMA = 1.020001609421199;

/** Where the bins of [1, 2) begin. Products of doubles: the same everywhere. */
const STARTS: readonly number[] = Array.from({ length: PER_DOUBLING - 1 }).reduce<number[]>(
  (starts) => [...starts, (starts.at(-1) ?? 1) * GAMMA],
  [1],
);

/** Values nearer to zero than this have no bin: they count as zero. The least normal double. */
export const BINNED_MIN = 2 ** -1022;

/** The lowest and the highest bin of any double; bin 0 begins at 1. */
export const BIN_MIN = -1022 * PER_DOUBLING;
export const BIN_MAX = 1024 * PER_DOUBLING - 1;

const view = new DataView(new ArrayBuffer(8));

/** The bin of a finite number of at least `BINNED_MIN`. */
export function binOf(value: number): number {
  view.setFloat64(0, value);
  const high = view.getUint32(0);
  // With the exponent of 1 the same digits stand in [1, 2).
  view.setUint32(0, (high & 0xfffff) | (1023 << 20));
  return ((high >>> 20) - 1023) * PER_DOUBLING + startsUpTo(view.getFloat64(0)) - 1;
}

/** The value in the middle of a bin, as relative error sees it. */
export function middleOf(bin: number): number {
  const exponent = Math.floor(bin / PER_DOUBLING);
  view.setFloat64(0, STARTS[bin - exponent * PER_DOUBLING] ?? 1);
  view.setUint32(0, view.getUint32(0) + (exponent << 20));
  return view.getFloat64(0) * ((2 * GAMMA) / (1 + GAMMA));
}

/** How many bins of [1, 2) begin at or below a value of it. */
function startsUpTo(value: number): number {
  let [low, high] = [1, PER_DOUBLING];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((STARTS[middle] ?? 2) <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}
