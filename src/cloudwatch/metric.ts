/**
 * Names a metric. CloudWatch tells metrics apart by namespace, name and the exact set of dimensions
 * ("CloudWatch concepts", docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html).
 */
export interface MetricName {
  readonly namespace: string;
  readonly name: string;
  /** In any order. */
  readonly dimensions: Readonly<Record<string, string>>;
}

/** Values of one metric at one moment. */
export interface Datum extends MetricName {
  readonly values: readonly number[];
  /** Milliseconds since 1970. */
  readonly atMs: number;
}

/** A text that is equal for equal metrics. */
export function metricKey({ namespace, name, dimensions }: MetricName): string {
  const sorted = Object.entries(dimensions).sort(([left], [right]) => (left < right ? -1 : 1));
  return JSON.stringify([namespace, name, sorted]);
}
