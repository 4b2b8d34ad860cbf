/**
 * Sums of doubles without rounding, by whole numbers: every finite double is a whole multiple of
 * 2^-1074. Slow and plain on purpose: it checks what the pipeline computes in another way.
 */

const SCALE = 1074;

/** The double as a multiple of 2^-1074. */
export function scaled(value: number): bigint {
  const bits = new DataView(new ArrayBuffer(8));
  bits.setFloat64(0, value);
  const word = bits.getBigUint64(0);
  const exponent = Number((word >> 52n) & 0x7ffn);
  const fraction = word & 0xf_ffff_ffff_ffffn;
  const magnitude =
    exponent === 0 ? fraction : (fraction | 0x10_0000_0000_0000n) << BigInt(exponent - 1);
  return word >> 63n === 1n ? -magnitude : magnitude;
}

/** The nearest double of a multiple of 2^-1074, ties to even. */
export function nearest(sum: bigint): number {
  const magnitude = sum < 0n ? -sum : sum;
  const bits = bitsOf(magnitude);
  const shift = Math.max(0, bits - 64);
  const kept = magnitude >> BigInt(shift);
  const rest = magnitude - (kept << BigInt(shift));
  // The lowest bit stands for all that was cut off, so that a tie is one only where it truly is.
  const sticky = rest === 0n ? kept : kept | 1n;
  const exponent = shift - SCALE;
  const half = Math.trunc(exponent / 2);
  const value = Number(sticky) * 2 ** half * 2 ** (exponent - half);
  return sum < 0n ? -value : value;
}

/** Bits of a double's whole number. */
const PRECISION = 53;

/**
 * The nearest double of `numerator / denominator * 2^(-1074 * power)`, ties to even; the numerator is not
 * negative, the denominator positive.
 */
export function nearestRatio(numerator: bigint, denominator: bigint, power: number): number {
  const scale = -SCALE * power;
  const bits = bitsOf(numerator) - bitsOf(denominator);
  let unit = Math.max(bits + scale - PRECISION - 1, -SCALE);
  let [top, bottom] = [0n, 1n];
  do {
    [top, bottom] = [numerator, denominator];
    if (scale >= unit) top <<= BigInt(scale - unit);
    else bottom <<= BigInt(unit - scale);
    unit += 1;
  } while (bitsOf(top / bottom) > PRECISION);
  const quotient = top / bottom;
  const twice = 2n * (top % bottom);
  const isUp = twice > bottom || (twice === bottom && quotient % 2n === 1n);
  return Number(isUp ? quotient + 1n : quotient) * 2 ** (unit - 1);
}

function bitsOf(value: bigint): number {
  return (value < 0n ? -value : value).toString(2).length;
}
