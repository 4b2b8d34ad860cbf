import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseEmf } from '../../../src/cloudwatch/emf.ts';
import { MetricStore } from '../../../src/cloudwatch/metric-store.ts';

const document = (root: object, directive: object = {}) =>
  JSON.stringify({
    _aws: {
      Timestamp: 1_000,
      CloudWatchMetrics: [
        { Namespace: 'N', Dimensions: [['service']], Metrics: [{ Name: 'A' }], ...directive },
      ],
    },
    service: 's',
    ...root,
  });

describe('a log line in embedded metric format', () => {
  it('is a datum for each metric and set of dimensions', () => {
    const line = document(
      { A: 1, B: [2, 3], stage: 'x' },
      { Dimensions: [['service'], ['service', 'stage']], Metrics: [{ Name: 'A' }, { Name: 'B' }] },
    );
    const both = { service: 's', stage: 'x' };
    const one = { namespace: 'N', atMs: 1_000 };
    expect(parseEmf(line)).toEqual([
      { ...one, name: 'A', dimensions: { service: 's' }, values: [1] },
      { ...one, name: 'A', dimensions: both, values: [1] },
      { ...one, name: 'B', dimensions: { service: 's' }, values: [2, 3] },
      { ...one, name: 'B', dimensions: both, values: [2, 3] },
    ]);
  });

  it('may have Lambda’s prefix before it', () => {
    expect(parseEmf(`2026-11-25T16:04:00Z\tid\tINFO\t${document({ A: 7 })}`)).toHaveLength(1);
  });

  it.each([
    ['plain text', 'START RequestId: 1'],
    ['a log line of another kind', '{"message":"batch","received":1}'],
    ['a document that is cut', document({ A: 1 }).slice(0, -5)],
    ['one without a time', '{"_aws":{"CloudWatchMetrics":[]}}'],
    ['a list', '[{"_aws":1}]'],
    ['a metric without its value', document({})],
    ['a value that is no number', document({ A: '1' })],
    ['a dimension without its value', document({ A: 1, service: undefined })],
    ['a dimension that is no text', document({ A: 1, service: 5 })],
    ['a dimension that is too long', document({ A: 1, service: 'x'.repeat(1_025) })],
    [
      'too many dimensions',
      document({ A: 1 }, { Dimensions: [Array.from({ length: 31 }, () => 'service')] }),
    ],
    ['no namespace', document({ A: 1 }, { Namespace: undefined })],
  ])('%s is no metric', (_what, line) => {
    expect(parseEmf(line)).toEqual([]);
  });

  it('holds at most 100 metrics and 100 values of each, as the format says', () => {
    const names = Array.from({ length: 101 }, (_, index) => `m${index}`);
    const root = Object.fromEntries(names.map((name) => [name, 1]));
    const metrics = names.map((Name) => ({ Name }));
    expect(parseEmf(document(root, { Metrics: metrics }))).toHaveLength(100);
    const values = Array.from({ length: 150 }, () => 1);
    expect(parseEmf(document({ A: values }))[0]?.values).toHaveLength(100);
  });

  it('adds up: the sum of a metric is the sum over all lines, in any order', () => {
    const values = fc.array(fc.array(fc.integer({ min: -1e6, max: 1e6 }), { maxLength: 100 }));
    fc.assert(
      fc.property(values, (lines) => {
        const store = new MetricStore();
        for (const numbers of lines)
          for (const datum of parseEmf(document({ A: numbers }))) store.add(datum);
        const metric = { namespace: 'N', name: 'A', dimensions: { service: 's' } };
        const periods = { endMs: 2_000, lengthMs: 2_000, count: 1 };
        const expected = lines.flat().reduce((total, value) => total + value, 0);
        expect(store.series(metric, 'Sum', periods)[0] ?? 0).toBe(expected);
        expect(store.series(metric, 'SampleCount', periods)[0] ?? 0).toBe(lines.flat().length);
      }),
    );
  });
});
