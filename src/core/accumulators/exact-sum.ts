import type { Encoded } from '../accumulator.ts';
import { InvariantError, show } from '../errors.ts';

/**
 * Sums of doubles without any rounding, so that the order of the events can't change a result.
 *
 * A sum is a safe integer as long as everything added is one (no allocation), else an exact binary
 * fraction. Both forms are canonical: equal sums are equal values.
 */
export type ExactSum = number | ExactFraction;

/** `mantissa * 2^exponent`; the mantissa is odd, so that each value has one form. */
export interface ExactFraction {
  readonly mantissa: bigint;
  readonly exponent: number;
}

/** Exponent of the smallest subnormal double. */
const EXPONENT_MIN = -1074;

/** Bits of a double's mantissa. */
const PRECISION = 53;

/**
 * Adds two sums. The result has at most 2,098 bits and those of the number of events: about 540
 * characters when encoded.
 */
export function addExact(left: ExactSum, right: ExactSum): ExactSum {
  if (typeof left === 'number' && typeof right === 'number') {
    const sum = left + right;
    if (Number.isSafeInteger(sum)) return sum;
  }
  const [a, b] = [fractionOf(left), fractionOf(right)];
  const exponent = Math.min(a.exponent, b.exponent);
  return canonical(scaled(a, exponent) + scaled(b, exponent), exponent);
}

/** A finite double as an exact sum. @throws InvariantError for NaN and the infinities */
export function exactOf(value: number): ExactSum {
  if (Number.isSafeInteger(value)) return value === 0 ? 0 : value;
  if (!Number.isFinite(value)) {
    throw new InvariantError(`sum: got ${value}, expected a finite number`);
  }
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const biased = Number((bits >> 52n) & 0x7ffn);
  const fraction = bits & 0xfffffffffffffn;
  const magnitude = biased === 0 ? fraction : fraction | (1n << 52n);
  const exponent = Math.max(biased, 1) - 1075;
  return canonical(value < 0 ? -magnitude : magnitude, exponent);
}

/**
 * The double nearest to a sum, ties to even; beyond the largest double it is an infinity, as IEEE 754
 * rounds.
 */
export function roundExact(sum: ExactSum): number {
  if (typeof sum === 'number') return sum;
  const { mantissa, exponent } = sum;
  const magnitude = mantissa < 0n ? -mantissa : mantissa;
  const shift = Math.max(bitLength(magnitude) - PRECISION, EXPONENT_MIN - exponent, 0);
  const rounded = roundShift(magnitude, BigInt(shift));
  const value = Number(rounded) * 2 ** (exponent + shift);
  return mantissa < 0n ? -value : value;
}

/** A safe integer as it is, another sum as `hexadecimal mantissa:exponent`. */
export function encodeExact(sum: ExactSum): Encoded {
  return typeof sum === 'number' ? sum : `${sum.mantissa.toString(16)}:${sum.exponent}`;
}

/** @throws InvariantError when `encodeExact` can't have written it */
export function decodeExact(encoded: Encoded): ExactSum {
  if (typeof encoded === 'number' && Number.isSafeInteger(encoded)) return encoded;
  const match = /^(-?)([1-9a-f][0-9a-f]{0,599}):(-?\d{1,4})$/.exec(String(encoded));
  if (match !== null) {
    const [, sign, digits, exponent] = match;
    const mantissa = BigInt(`0x${digits}`) * (sign === '-' ? -1n : 1n);
    const sum = canonical(mantissa, Number(exponent));
    if (encodeExact(sum) === encoded) return sum;
  }
  throw new InvariantError(`sum: got ${show(encoded)}, expected an integer or mantissa:exponent`);
}

function fractionOf(sum: ExactSum): ExactFraction {
  return typeof sum === 'number' ? { mantissa: BigInt(sum), exponent: 0 } : sum;
}

function scaled({ mantissa, exponent }: ExactFraction, to: number): bigint {
  return mantissa << BigInt(exponent - to);
}

function canonical(mantissa: bigint, exponent: number): ExactSum {
  if (mantissa === 0n) return 0;
  const zeros = trailingZeros(mantissa);
  const odd = mantissa >> BigInt(zeros);
  const value = { mantissa: odd, exponent: exponent + zeros };
  if (value.exponent < 0 || value.exponent > PRECISION) return value;
  const integer = odd << BigInt(value.exponent);
  const fits =
    integer <= BigInt(Number.MAX_SAFE_INTEGER) && integer >= BigInt(Number.MIN_SAFE_INTEGER);
  return fits ? Number(integer) : value;
}

function trailingZeros(value: bigint): number {
  const lowest = value & -value;
  return bitLength(lowest < 0n ? -lowest : lowest) - 1;
}

/** Bits of a positive integer. */
function bitLength(value: bigint): number {
  const digits = value.toString(16);
  return (digits.length - 1) * 4 + (32 - Math.clz32(Number.parseInt(digits.slice(0, 1), 16)));
}

/** `value / 2^shift`, to the nearest integer, ties to even. */
function roundShift(value: bigint, shift: bigint): bigint {
  if (shift === 0n) return value;
  const down = value >> shift;
  const rest = value - (down << shift);
  const half = 1n << (shift - 1n);
  const up = rest > half || (rest === half && (down & 1n) === 1n);
  return up ? down + 1n : down;
}
