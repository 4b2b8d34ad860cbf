import type { PlainResult } from './columns.ts';

/** The width of a bin, 35 to each doubling. */
const WIDTH = 2 ** (1 / 35);

const BINS_KEPT = 1024;
const LEAST_BINNED = 2 ** -1022;
const ERROR_MAX = 0.01;

/** A bin of logarithmic width: of which power of two, and which of the 35 from there. */
interface Bin {
  readonly power: number;
  readonly step: number;
  readonly start: number;
}

/**
 * Quantiles as the pipeline's sketch has them, from all values in ascending order: each is the middle of the
 * bin of the value at its rank, where of each sign only the 1,024 bins farthest from zero count.
 */
export function plainQuantiles(
  values: readonly number[],
  percents: readonly number[],
): PlainResult {
  const positive = keptBins(values.filter((value) => value >= LEAST_BINNED));
  const negative = keptBins(
    values.filter((value) => value <= -LEAST_BINNED).map((value) => -value),
  );
  const results = percents.map((percent) => {
    const rank = Math.floor((percent * (values.length - 1)) / 100);
    const exact = values[rank];
    if (exact === undefined || rank === 0 || rank === values.length - 1) {
      return { percent, value: exact ?? null, exact, isSure: true };
    }
    if (Math.abs(exact) < LEAST_BINNED) return { percent, value: 0, exact, isSure: false };
    const sign = Math.sign(exact);
    const { value, isSure } = middle(Math.abs(exact), sign > 0 ? positive : negative);
    const inside = Math.min(Math.max(sign * value, values[0] ?? 0), values.at(-1) ?? 0);
    return { percent, value: inside, exact, isSure };
  });
  const wrong = results.find(
    ({ value, exact = 0, isSure }) =>
      isSure && Math.abs(Number(value) - exact) > ERROR_MAX * Math.abs(exact),
  );
  return {
    value: Object.fromEntries(results.map(({ percent, value }) => [`p${percent}`, value])),
    doubt: wrong && `p${wrong.percent} is ${wrong.value}, expected ${wrong.exact} within 1 %`,
  };
}

/** The bins of these values that count, the highest first. */
function keptBins(values: readonly number[]): readonly Bin[] {
  const bins = new Map(values.map(binOf).map((bin) => [`${bin.power} ${bin.step}`, bin]));
  return [...bins.values()].sort(descending).slice(0, BINS_KEPT);
}

function descending(left: Bin, right: Bin): number {
  return right.power - left.power || right.step - left.step;
}

function middle(value: number, kept: readonly Bin[]): { value: number; isSure: boolean } {
  const own = binOf(value);
  const lowest = kept.at(-1) ?? own;
  const isSure = descending(own, lowest) <= 0;
  const { start, power } = isSure ? own : lowest;
  return { value: start * 2 ** power * ((2 * WIDTH) / (1 + WIDTH)), isSure };
}

function binOf(value: number): Bin {
  let power = Math.floor(Math.log2(value));
  if (value < 2 ** power) power -= 1;
  if (value / 2 ** power >= 2) power += 1;
  const digits = value / 2 ** power;
  let [step, start] = [0, 1];
  while (step < 34 && start * WIDTH <= digits) [step, start] = [step + 1, start * WIDTH];
  return { power, step, start };
}
