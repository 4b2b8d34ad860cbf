import type { Datum } from './metric.ts';

/** Limits of the embedded metric format. */
const LIMITS = { metrics: 100, dimensions: 30, values: 100, dimensionLength: 1_024 } as const;

interface Directive {
  readonly Namespace?: unknown;
  readonly Dimensions?: unknown;
  readonly Metrics?: unknown;
}

/**
 * The metrics that one log line holds, if it is a document in embedded metric format: a datum for each
 * metric and set of dimensions. What breaks the format's limits is left out, as CloudWatch does.
 * docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 *
 * @returns none for a line that is no such document
 */
export function parseEmf(line: string): readonly Datum[] {
  const root = parseObject(line);
  const meta = asObject(root?._aws);
  if (root === undefined || meta === undefined || typeof meta.Timestamp !== 'number') return [];
  const directives = Array.isArray(meta.CloudWatchMetrics) ? meta.CloudWatchMetrics : [];
  const atMs = meta.Timestamp;
  return directives.flatMap((directive) => dataOf(asObject(directive) ?? {}, root, atMs));
}

function dataOf(directive: Directive, root: Record<string, unknown>, atMs: number): Datum[] {
  const { Namespace: namespace, Metrics, Dimensions } = directive;
  if (typeof namespace !== 'string' || !Array.isArray(Metrics)) return [];
  const names: readonly unknown[] = Array.isArray(Dimensions) ? Dimensions : [[]];
  const sets = names
    .map((one) => dimensionsOf(one, root))
    .filter((dimensions) => dimensions !== undefined);
  return Metrics.slice(0, LIMITS.metrics).flatMap((definition) => {
    const name = asObject(definition)?.Name;
    const values = typeof name === 'string' ? valuesOf(root[name]) : [];
    if (typeof name !== 'string' || values.length === 0) return [];
    return sets.map((dimensions) => ({ namespace, name, dimensions, values, atMs }));
  });
}

function dimensionsOf(
  names: unknown,
  root: Record<string, unknown>,
): Record<string, string> | undefined {
  if (!Array.isArray(names) || names.length > LIMITS.dimensions) return undefined;
  const entries = names.map((name) => [name, root[name]] as const);
  const valid = entries.every(
    ([name, value]) =>
      typeof name === 'string' &&
      typeof value === 'string' &&
      value.length > 0 &&
      value.length <= LIMITS.dimensionLength,
  );
  return valid ? Object.fromEntries(entries) : undefined;
}

function valuesOf(value: unknown): readonly number[] {
  const values = Array.isArray(value) ? value.slice(0, LIMITS.values) : [value];
  return values.filter((one): one is number => typeof one === 'number');
}

/** Lambda may put its own prefix (time, request id, level) before the document. */
function parseObject(line: string): Record<string, unknown> | undefined {
  const start = line.indexOf('{');
  if (start < 0 || !line.includes('"_aws"')) return undefined;
  try {
    return asObject(JSON.parse(line.slice(start)));
  } catch {
    // Any line of a log may look like a document and be none.
    return undefined;
  }
}

function asObject(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}
