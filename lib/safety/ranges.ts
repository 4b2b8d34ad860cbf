/** True for a whole number from `low` to `high`. */
export function within(value: number, low: number, high: number): boolean {
  return Number.isInteger(value) && value >= low && value <= high;
}
