import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseExpression } from '../../../src/cloudwatch/expression.ts';
import { MetricStore, type Series } from '../../../src/cloudwatch/metric-store.ts';
import { type Query, runQueries } from '../../../src/cloudwatch/query.ts';
import { statistic } from '../../../src/cloudwatch/statistics.ts';

const _ = undefined;

/** Runs an expression over series that stand for metrics of the same name. */
function math(expression: string, series: Readonly<Record<string, Series>>): Series | undefined {
  const store = {
    series: ({ name }: { readonly name: string }) => series[name] ?? [],
  };
  const metrics = Object.keys(series).map(
    (id): Query => ({
      type: 'metric',
      id,
      metric: { namespace: 'N', name: id, dimensions: {} },
      statistic: 'Sum',
    }),
  );
  const count = Object.values(series)[0]?.length ?? 1;
  const periods = { endMs: 0, lengthMs: 60_000, count };
  const queries: Query[] = [...metrics, { type: 'expression', id: 'result', expression }];
  return runQueries(queries, { store, periods, periodSeconds: 60 }).get('result');
}

/** docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html */
describe('metric math', () => {
  const a: Series = [1, 2, _, 4];
  const b: Series = [10, 0, _, _];

  it.each<[string, Series]>([
    ['a + b', [11, 2, _, 4]],
    ['a - 2 * b', [-19, 2, _, 4]],
    ['(a - 2) * b', [-10, 0, _, 0]],
    ['-a ^ 2', [1, 4, _, 16]],
    ['2 ^ a', [2, 4, _, 16]],
    ['100 * a / b', [10, _, _, _]],
    ['a / 0', [_, _, _, _]],
    ['FILL(b, 7)', [10, 0, 7, 7]],
    ['FILL(b, a)', [10, 0, _, 4]],
    ['SUM([a, b])', [11, 2, _, 4]],
    ['MAX([a, b])', [10, 2, _, 4]],
    ['MIN([a, b])', [1, 0, _, 4]],
    ['AVG([a, b])', [5.5, 1, _, 4]],
    ['a - SUM(a)', [-6, -5, _, -3]],
    ['a / PERIOD(a) * 60', [1, 2, _, 4]],
    ['ABS(0 - a)', [1, 2, _, 4]],
    ['CEIL(a / 3) + FLOOR(a / 3)', [1, 1, _, 3]],
    ['a > 1', [0, 1, _, 1]],
    ['a >= 1 AND b == 0', [0, 1, _, 0]],
    ['a < 2 || a != 2', [1, 0, _, 1]],
    ['IF(a > 1, a, 0 - a)', [-1, 2, _, 4]],
    ['IF(b > 0, a)', [1, _, _, _]],
    ['IF(a > 0, 100 * FILL(b, 0) / a)', [1000, 0, _, 0]],
    ['3', [3, 3, 3, 3]],
  ])('%s', (expression, expected) => {
    expect(math(expression, { a, b })).toEqual(expected);
  });

  it.each([
    ['', 'a metric-math expression'],
    ['a +', 'a number, an id or a function'],
    ['(a', 'expected )'],
    ['a b', 'the end'],
    ['a $ b', 'a metric-math expression'],
    ['[a b]', ', or ]'],
    ['c', 'the id of a metric or expression'],
    ['ANOMALY_DETECTION_BAND(a)', 'one of ABS'],
    ['IF(a)', 'one of ABS'],
    ['[a, b]', 'one series'],
    ['result + 1', 'expressions that don’t use themselves'],
  ])('%j is refused', (expression, message) => {
    expect(() => math(expression, { a, b })).toThrow(message);
  });

  it('reads operators of one level from the left, as JavaScript does', () => {
    const tokens = fc.array(
      fc.tuple(fc.constantFrom('+', '-', '*'), fc.integer({ min: 1, max: 9 })),
    );
    fc.assert(
      fc.property(tokens, (parts) => {
        const text = parts.reduce((left, [operator, right]) => `${left} ${operator} ${right}`, '1');
        const inSteps = (source: string) => math(source, { a: [1] })?.[0];
        expect(inSteps(text)).toBe(runInNewContext(text));
      }),
    );
  });

  it('is a tree', () => {
    expect(parseExpression('a AND NOT_A_WORD')).toMatchObject({
      type: 'operation',
      operator: 'AND',
    });
  });
});

describe('statistics', () => {
  it.each([
    ['Sum', 10],
    ['Average', 2.5],
    ['Minimum', 1],
    ['Maximum', 4],
    ['SampleCount', 4],
    ['p0', 1],
    ['p50', 2.5],
    ['p90', 3.7],
    ['p100', 4],
  ])('%s', (name, expected) => {
    expect(statistic(name, [4, 1, 3, 2])).toBeCloseTo(expected, 9);
  });

  it('have no value without values, and no other name', () => {
    expect(statistic('Sum', [])).toBeUndefined();
    for (const name of ['p101', 'TM(10%:90%)', 'sum', 'toString']) {
      expect(() => statistic(name, [1])).toThrow(`got '${name}'`);
    }
  });
});

describe('the store of metrics', () => {
  const metric = { namespace: 'N', name: 'A', dimensions: { x: '1', y: '2' } };
  const periods = { endMs: 3_000, lengthMs: 1_000, count: 3 };

  it('puts a value into the period that it falls in; the end belongs to the next', () => {
    const store = new MetricStore();
    for (const [atMs, value] of [
      [2_999, 4],
      [0, 1],
      [999, 2],
      [3_000, 8],
      [1_000, 16],
    ] as const) {
      store.add({ ...metric, values: [value], atMs });
    }
    expect(store.series(metric, 'Sum', periods)).toEqual([3, 16, 4]);
  });

  it('tells metrics apart by all of their dimensions, in any order', () => {
    const store = new MetricStore();
    store.add({ ...metric, dimensions: { y: '2', x: '1' }, values: [1], atMs: 0 });
    store.add({ ...metric, dimensions: { x: '1' }, values: [10], atMs: 0 });
    store.add({ ...metric, namespace: 'M', values: [100], atMs: 0 });
    expect(store.series(metric, 'Sum', periods)[0]).toBe(1);
    expect(store.has({ ...metric, dimensions: { x: '2' } })).toBe(false);
  });

  it('takes what comes late, and nothing that is not finite', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 2_999 })), (times) => {
        const store = new MetricStore();
        for (const atMs of times) store.add({ ...metric, values: [1, Number.NaN], atMs });
        const counts = [0, 1, 2].map(
          (period) => times.filter((atMs) => Math.floor(atMs / 1_000) === period).length,
        );
        const found = store.series(metric, 'SampleCount', periods);
        expect(found.map((count) => count ?? 0)).toEqual(counts);
      }),
    );
  });
});
