import { DefinitionError } from '../core/errors.ts';

type Statistic = (values: readonly number[]) => number;

const sum: Statistic = (values) => values.reduce((total, value) => total + value, 0);
const least: Statistic = (values) => values.reduce((one, other) => Math.min(one, other));
const largest: Statistic = (values) => values.reduce((one, other) => Math.max(one, other));

const STATISTICS: Readonly<Record<string, Statistic>> = {
  SampleCount: (values) => values.length,
  Sum: sum,
  Average: (values) => sum(values) / values.length,
  Minimum: least,
  Maximum: largest,
};

/**
 * A statistic over the values of one period: `Sum`, `Average`, `Minimum`, `Maximum`, `SampleCount`, or a
 * percentile such as `p99` or `p99.9`. CloudWatch doesn't say how it finds a percentile between two
 * values; here it lies on the line between them.
 * docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html
 *
 * @returns undefined where there is no value
 * @throws DefinitionError for a statistic that is not one of these
 */
export function statistic(name: string, values: readonly number[]): number | undefined {
  const known = Object.hasOwn(STATISTICS, name) ? STATISTICS[name] : percentile(name);
  if (known === undefined) {
    throw new DefinitionError('statistic', name, `p0 to p100 or ${Object.keys(STATISTICS)}`);
  }
  return values.length === 0 ? undefined : known(values);
}

function percentile(name: string): Statistic | undefined {
  const percent = /^p(\d{1,3}(?:\.\d+)?)$/.exec(name)?.[1];
  if (percent === undefined || Number(percent) > 100) return undefined;
  return (values) => {
    const sorted = [...values].sort((left, right) => left - right);
    const rank = (Number(percent) / 100) * (sorted.length - 1);
    const below = sorted[Math.floor(rank)] ?? Number.NaN;
    const above = sorted[Math.ceil(rank)] ?? Number.NaN;
    return below + (above - below) * (rank % 1);
  };
}
