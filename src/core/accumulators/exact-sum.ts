import type { Encoded } from '../accumulator.ts';
import { InvariantError } from '../errors.ts';
import { ByteReader, ByteWriter, unzigzag, zigzag } from '../varint.ts';
import { misread } from './stored.ts';

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

/** Adds two sums. A sum of doubles has at most 2,098 bits and those of the number of events. */
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
  const magnitude = absolute(mantissa);
  const shift = Math.max(bitLength(magnitude) - PRECISION, EXPONENT_MIN - exponent, 0);
  const rounded = roundShift(magnitude, BigInt(shift));
  const value = Number(rounded) * 2 ** (exponent + shift);
  return mantissa < 0n ? -value : value;
}

/** Multiplies two sums. */
export function multiplyExact(left: ExactSum, right: ExactSum): ExactSum {
  if (typeof left === 'number' && typeof right === 'number') {
    const product = left * right;
    if (Number.isSafeInteger(product)) return product + 0;
  }
  const [a, b] = [fractionOf(left), fractionOf(right)];
  return canonical(a.mantissa * b.mantissa, a.exponent + b.exponent);
}

/** Less than 0 if the left sum is less, 0 if they are equal. */
export function compareExact(left: ExactSum, right: ExactSum): number {
  if (typeof left === 'number' && typeof right === 'number') return left - right;
  const difference = addExact(left, multiplyExact(right, -1));
  return typeof difference === 'number' ? difference : difference.mantissa < 0n ? -1 : 1;
}

/** The double nearest to a sum divided by another, which is more than 0. */
export function divideExact(sum: ExactSum, by: ExactSum): number {
  const [a, b] = [fractionOf(sum), fractionOf(by)];
  // Bits enough for a double, and one below them that stands for all the rest.
  const shift = BigInt(Math.max(0, 66 + bitLength(b.mantissa) - bitLength(absolute(a.mantissa))));
  const dividend = absolute(a.mantissa) << shift;
  const quotient = dividend / b.mantissa;
  const rest = quotient * b.mantissa === dividend ? 0n : 1n;
  const value = roundExact({
    mantissa: (quotient << 1n) | rest,
    exponent: a.exponent - b.exponent - Number(shift) - 1,
  });
  return a.mantissa < 0n ? -value : value;
}

/** Most bytes that a sum of doubles takes: 2,098 bits and the number of events, with their headers. */
export const SUM_BYTES_MAX = 280;

/** Bits of a mantissa that are read back: those of a sum of squares, and then some. */
const MANTISSA_BYTES_MAX = 600;

/**
 * What is a double as that; another sum as bytes: twice the exponent and the sign as a zigzag varint,
 * then the mantissa, highest byte first.
 */
export function encodeExact(sum: ExactSum): Encoded {
  if (typeof sum === 'number') return sum;
  const { mantissa, exponent } = sum;
  const bits = bitLength(absolute(mantissa));
  if (bits <= PRECISION && exponent >= EXPONENT_MIN && exponent + bits <= 1024) {
    return roundExact(sum);
  }
  const writer = new ByteWriter();
  writer.varint(zigzag(exponent) * 2 + (mantissa < 0n ? 1 : 0));
  const digits = absolute(mantissa).toString(16);
  const padded = digits.padStart(digits.length + (digits.length % 2), '0');
  for (let at = 0; at < padded.length; at += 2) {
    writer.byte(Number.parseInt(padded.slice(at, at + 2), 16));
  }
  return writer.finish();
}

/** @throws InvariantError when `encodeExact` can't have written it */
export function decodeExact(encoded: Encoded | undefined): ExactSum {
  if (typeof encoded === 'number' && Number.isFinite(encoded)) return exactOf(encoded);
  if (encoded instanceof Uint8Array && encoded.length <= MANTISSA_BYTES_MAX) {
    const sum = sumIn(encoded);
    if (encodeExact(sum) instanceof Uint8Array) return sum;
  }
  throw misread('sum', encoded, 'a number, or exponent and mantissa');
}

function sumIn(bytes: Uint8Array): ExactSum {
  const reader = new ByteReader(bytes);
  const head = reader.varint();
  let digits = '';
  while (!reader.done) digits += reader.byte().toString(16).padStart(2, '0');
  const mantissa = BigInt(`0x0${digits}`);
  return canonical(head % 2 === 1 ? -mantissa : mantissa, unzigzag(Math.floor(head / 2)));
}

function absolute(value: bigint): bigint {
  return value < 0n ? -value : value;
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
  return bitLength(absolute(value & -value)) - 1;
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
