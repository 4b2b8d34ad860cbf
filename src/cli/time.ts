import { InvalidArgumentError } from 'commander';

const UNIT_MS: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/**
 * A time to come: as `timeOf` reads it, or after now, such as `+10m`, `+2h`. Milliseconds since 1970 UTC.
 */
export function timeAhead(nowMs: number): (text: string) => number {
  return (text) => {
    const [, count, unit = ''] = /^\+(\d{1,6})([smhd])$/.exec(text) ?? [];
    return count === undefined ? timeOf(nowMs)(text) : nowMs + Number(count) * (UNIT_MS[unit] ?? 0);
  };
}

/**
 * A time of a command line: ISO 8601 (UTC where it has no zone), or before now, such as `-2h`, `-30m`,
 * `-7d`. Milliseconds since 1970 UTC.
 */
export function timeOf(nowMs: number): (text: string) => number {
  return (text) => {
    const [, count, unit = ''] = /^-(\d{1,6})([smhd])$/.exec(text) ?? [];
    if (count !== undefined) return nowMs - Number(count) * (UNIT_MS[unit] ?? 0);
    const zoned = /(Z|[+-]\d\d:\d\d)$/.test(text) || !text.includes('T') ? text : `${text}Z`;
    const ms = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(zoned) : Number.NaN;
    if (Number.isFinite(ms)) return ms;
    throw new InvalidArgumentError('expected a time such as 2026-12-01T08:00Z, or -2h');
  };
}
