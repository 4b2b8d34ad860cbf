import type { Hash64 } from '../hash.ts';

/**
 * How many different values were seen, from 1 KB: ExaLogLog (Ertl, "ExaLogLog: space-efficient and
 * practical approximate distinct counting up to the exa-scale", 2024) with t = 2, d = 24, p = 8.
 *
 * A value's hash picks one of 256 registers and a *rank*, which is less likely the higher it is: four ranks
 * share each zero at the head of the hash. A register holds the highest rank seen and, in 24 bits, which
 * of the 24 ranks below it were seen. It follows from the set of values alone: seeing one twice, or in
 * another order, makes no difference, and two registers merge into that of both sets.
 */

/** Registers; 32 bits each. */
export const REGISTERS = 256;

const REGISTER_BITS = 8;

/** Ranks that share a number of leading zeros, as bits. */
const SHARE_BITS = 2;
const SHARE = 2 ** SHARE_BITS;

/** Ranks below the highest that a register remembers. */
const WINDOW = 24;
const WINDOW_MASK = 2 ** WINDOW - 1;

/** Bits of a hash whose leading zeros count: those left of 64. */
const ZEROS_MAX = 64 - REGISTER_BITS - SHARE_BITS;

/**
 * What is kept of a hash while the set is small, as one number: the lowest 26 bits, and above them how many
 * of the other 38 are zero at their head. Register and rank follow from it. Two different values have the
 * same one with a chance of 5 in a thousand million.
 */
export function tokenOf({ high, low }: Hash64): number {
  const top = low >>> TOKEN_BITS;
  const zeros = high === 0 ? 32 + Math.clz32(top) - TOKEN_BITS : Math.clz32(high);
  return zeros * 2 ** TOKEN_BITS + (low & TOKEN_MASK);
}

const TOKEN_BITS = 26;
const TOKEN_MASK = 2 ** TOKEN_BITS - 1;
/** Leading zeros that a token itself counts. */
const TOKEN_ZEROS_MAX = 64 - TOKEN_BITS;

/** The highest token. */
export const TOKEN_MAX = TOKEN_ZEROS_MAX * 2 ** TOKEN_BITS + TOKEN_MASK;

/** Notes a value in its register. */
export function addToken(registers: Uint32Array, token: number): void {
  const bits = token % 2 ** TOKEN_BITS;
  const index = bits & (REGISTERS - 1);
  const share = (bits >>> REGISTER_BITS) & (SHARE - 1);
  const counted = Math.floor(token / 2 ** TOKEN_BITS);
  const below = bits >>> (REGISTER_BITS + SHARE_BITS);
  const zeros = counted < TOKEN_ZEROS_MAX ? counted : counted + Math.clz32(below) - 16;
  registers[index] = mergeRegister(registers[index] ?? 0, (zeros * SHARE + share + 1) << WINDOW);
}

/** The register of both sets. */
export function mergeRegister(left: number, right: number): number {
  const [high, low] =
    left >>> 0 >= right >>> 0 ? [left >>> 0, right >>> 0] : [right >>> 0, left >>> 0];
  const distance = (high >>> WINDOW) - (low >>> WINDOW);
  if (low === 0 || distance > WINDOW) return high;
  const seen =
    distance === 0 ? low & WINDOW_MASK : ((low & WINDOW_MASK) | (2 ** WINDOW)) >>> distance;
  return (high | seen) >>> 0;
}

/** What the registers say about the likelihood of a number of values. */
interface Evidence {
  /** Sum of the chances of the ranks that were not seen. */
  unseen: number;
  /** How many of the ranks with a chance of 2^-n were seen. */
  readonly seen: number[];
}

/**
 * The number of values that makes the registers most likely. Its standard error is 2.1 %, of fewer than
 * a thousand values 1.5 %, and its bias less than 0.1 % (measured over 10,000 sets).
 */
export function estimate(registers: Uint32Array): number {
  const evidence = evidenceOf(registers);
  // The likelihood's slope falls from above to below zero: halve until it is found.
  let [low, high] = [0, 1];
  while (high < 2 ** 64 && slopeAt(evidence, high) > 0) [low, high] = [high, high * 2];
  for (let step = 0; step < 50; step += 1) {
    const middle = (low + high) / 2;
    if (slopeAt(evidence, middle) > 0) low = middle;
    else high = middle;
  }
  return low * REGISTERS;
}

/** The slope of the logarithm of the likelihood, at so many values a register. */
function slopeAt({ unseen, seen }: Evidence, values: number): number {
  return seen.reduce((slope, count, bits) => {
    if (count === 0) return slope;
    const chance = 2 ** -bits;
    return slope + (count * chance) / Math.expm1(values * chance);
  }, -unseen);
}

function evidenceOf(registers: Uint32Array): Evidence {
  const evidence: Evidence = { unseen: 0, seen: Array.from({ length: ZEROS_MAX + 4 }, () => 0) };
  for (const register of registers) {
    const highest = register >>> WINDOW;
    evidence.unseen += chanceAbove(highest);
    if (highest > 0) note(evidence, highest, true);
    for (let below = 1; below <= Math.min(WINDOW, highest - 1); below += 1) {
      note(evidence, highest - below, ((register >>> (WINDOW - below)) & 1) === 1);
    }
  }
  return evidence;
}

function note(evidence: Evidence, rank: number, wasSeen: boolean): void {
  const bits = bitsOf(rank);
  if (wasSeen) evidence.seen[bits] = (evidence.seen[bits] ?? 0) + 1;
  else evidence.unseen += 2 ** -bits;
}

/** A value of the register has this rank with a chance of 2^-bits. */
function bitsOf(rank: number): number {
  const zeros = Math.floor((rank - 1) / SHARE);
  return SHARE_BITS + Math.min(zeros + 1, ZEROS_MAX);
}

/** The chance of a rank above this one. */
function chanceAbove(rank: number): number {
  if (rank === 0) return 1;
  const zeros = Math.floor((rank - 1) / SHARE);
  const sharing = zeros * SHARE + SHARE - rank;
  const higher = zeros < ZEROS_MAX ? 2 ** -(zeros + 1) : 0;
  return sharing * 2 ** -bitsOf(rank) + higher;
}
