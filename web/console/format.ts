const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
const fine = new Intl.NumberFormat('en-US', { maximumFractionDigits: 2 });

/** Milliseconds in the unit that a person would say. */
function duration(ms: number): string {
  if (ms < 1_000) return `${whole.format(ms)} ms`;
  if (ms < 120_000) return `${(ms / 1_000).toFixed(1)} s`;
  return `${fine.format(ms / 60_000)} min`;
}

function bytes(count: number): string {
  const units = ['B', 'kB', 'MB', 'GB'];
  const power = Math.min(3, Math.floor(Math.log10(Math.max(1, count)) / 3));
  return `${fine.format(count / 1000 ** power)} ${units[power]}`;
}

function dollars(amount: number): string {
  return `$${amount === 0 || amount >= 1 ? amount.toFixed(2) : amount.toPrecision(2)}`;
}

const FORMATS: readonly (readonly [RegExp, (value: number) => string])[] = [
  [/\bms\b/, duration],
  [/%/, (value) => `${fine.format(value)} %`],
  [/dollars/, dollars],
  [/bytes/, bytes],
];

/** A value with its unit; counts have none. The unit is a word of the text, such as `ms` in `age (ms)`. */
export function formatValue(value: number | null, text: string): string {
  if (value === null) return '–';
  const [, format] = FORMATS.find(([unit]) => unit.test(text)) ?? [];
  if (format !== undefined) return format(value);
  return (Math.abs(value) < 10 ? fine : whole).format(value);
}

/** A value older than so many points says nothing of now. */
const FRESH_POINTS = 5;

/**
 * The last point that there is.
 *
 * @param running only a fresh one, as older ones would hide that nothing comes any more
 */
export function lastOf(points: readonly (number | null)[], running: boolean): number | null {
  const recent = running ? points.slice(-FRESH_POINTS) : points;
  return recent.findLast((point) => point !== null) ?? null;
}

/** A label without its unit, where that stands elsewhere. */
export function withoutUnit(label: string): string {
  return label.replace(/ \([^)]+\)$/, '');
}

/** The time of day, as short as it is exact. */
export function timeText(seconds: number): string {
  const date = new Date(seconds * 1_000);
  return date.toLocaleTimeString('en-GB');
}
