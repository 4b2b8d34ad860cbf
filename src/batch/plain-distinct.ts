import { hashScalar, type Scalar } from '../core/accumulators/scalar.ts';
import type { PlainResult } from './columns.ts';

const COUNTED_MAX = 255;

/** Six standard errors: missed once in a thousand million times. */
const ERROR_MAX = 6 * 0.0215;

/** Ranks of a register that are told apart: 4 for each number of leading zeros from 0 to 54. */
const RANKS = 220;
const WINDOW = 24;

/**
 * The number of different values as the pipeline's sketch has it, from the hashes of all of them, written
 * out in binary.
 */
export function plainDistinct(values: readonly unknown[]): PlainResult {
  const different = new Set(values as Scalar[]);
  const hashes = [...different].map((value) => binaryOf(value));
  const tokens = new Set(hashes.map((bits) => `${zerosOf(bits, 38)} ${bits.slice(-26)}`));
  const value = tokens.size <= COUNTED_MAX ? tokens.size : Math.round(likeliest(hashes));
  const off = Math.abs(value - different.size);
  const isRight = off <= (different.size <= COUNTED_MAX ? 1 : ERROR_MAX * different.size);
  return { value, doubt: isRight ? undefined : `got ${value}, expected about ${different.size}` };
}

function binaryOf(value: Scalar): string {
  const { high, low } = hashScalar(value);
  return [high, low].map((half) => half.toString(2).padStart(32, '0')).join('');
}

function zerosOf(bits: string, length: number): number {
  return /^0*/.exec(bits.slice(0, length))?.[0].length ?? 0;
}

/** The chance of each rank; rank 0 is none. */
const CHANCES: readonly number[] = Array.from({ length: RANKS + 1 }, (_, rank) => {
  if (rank === 0) return 0;
  return 2 ** -(2 + Math.min(54, Math.floor((rank - 1) / 4) + 1));
});

/** The number of values for which what the registers hold is likeliest. */
function likeliest(hashes: readonly string[]): number {
  const registers = Map.groupBy(hashes, (bits) => bits.slice(-8));
  const seen = CHANCES.map(() => 0);
  let unseen = 256 - registers.size;
  for (const some of registers.values()) {
    const ranks = new Set(
      some.map((bits) => 4 * zerosOf(bits, 54) + Number.parseInt(bits.slice(-10, -8), 2) + 1),
    );
    const highest = Math.max(...ranks);
    for (let rank = Math.max(1, highest - WINDOW); rank <= RANKS; rank += 1) {
      if (ranks.has(rank)) seen[rank] = (seen[rank] ?? 0) + 1;
      else unseen += CHANCES[rank] ?? 0;
    }
  }
  let [low, high] = [0, 2 ** 40];
  for (let step = 0; step < 100; step += 1) {
    const middle = (low + high) / 2;
    const pull = seen.reduce((sum, count, rank) => {
      const chance = CHANCES[rank] ?? 0;
      return count === 0 ? sum : sum + (count * chance) / Math.expm1((middle / 256) * chance);
    }, 0);
    if (pull > unseen) low = middle;
    else high = middle;
  }
  return low;
}
