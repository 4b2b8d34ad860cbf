import { PRICE_LIST, type PriceName } from './prices.ts';

/** One line of a month's bill. */
export interface CostLine {
  /** The service, and what of it. */
  readonly service: string;
  readonly what: string;
  /** How the quantity comes about, in words and numbers. */
  readonly formula: string;
  /** In the price's unit. */
  readonly quantity: number;
  readonly price: PriceName;
  /** Dollars a month. */
  readonly usd: number;
}

/** A line from its quantity, which is in the price's unit. */
export function costLine(
  [service, what]: readonly [string, string],
  formula: string,
  [quantity, price]: readonly [number, PriceName],
): CostLine {
  return { service, what, formula, quantity, price, usd: quantity * PRICE_LIST[price].usd };
}

/** Dollars of some lines. */
export function totalOf(lines: readonly CostLine[]): number {
  return lines.reduce((sum, { usd }) => sum + usd, 0);
}

const SUFFIXES = [
  [1e12, 'T'],
  [1e9, 'G'],
  [1e6, 'M'],
  [1e4, 'k'],
] as const;

/** A number in three digits or so, such as 13.1G, 4,380 or 0.081. */
export function short(value: number): string {
  for (const [size, suffix] of SUFFIXES) {
    if (value < size) continue;
    const scaled = size === 1e4 ? value / 1_000 : value / size;
    return `${scaled.toLocaleString('en-US', { maximumSignificantDigits: 3, useGrouping: false })}${suffix}`;
  }
  if (value >= 100) return Math.round(value).toLocaleString('en-US');
  return value.toLocaleString('en-US', { maximumSignificantDigits: 2 });
}
