import { describe, expect, it } from 'vitest';
import { showHead, showValue } from '../../../src/local/show-value.ts';

const bucket = (count: number) => ({ from: null, to: 1, count });
const entry = (key: string, weight: number, error = 0) => ({ key, weight, error });

describe('a result in a table', () => {
  it.each([
    ['a whole number', 1234567, '1,234,567'],
    ['a fraction', 1234.567, '1,234.57'],
    ['a large number', 1.234e15, '1.23e+15'],
    ['a small number', -0.00012, '-1.20e-4'],
    ['zero', 0, '0'],
    ['nothing', null, '-'],
    ['a missing one', undefined, '-'],
    ['a text', 'Alaska', 'Alaska'],
    ['a boolean', false, 'false'],
    ['percentiles', { p50: 1, 'p99.9': null }, '1 / -'],
    ['an empty top', [], '-'],
    ['a short top', [entry('ATL', 12), entry('ORD', 0.5)], 'ATL 12, ORD 0.50'],
    [
      'a long top that is not exact',
      ['a', 'b', 'c', 'd'].map((key) => entry(key, 1000, 2)),
      'a ~1,000, b ~1,000, c ~1,000, …',
    ],
    ['a histogram', [0, 1, 50, 100].map(bucket), '·▁▄█'],
    ['an empty histogram', [bucket(0), bucket(0)], '··'],
    ['an own object', { wind: 3 }, '{"wind":3}'],
    ['a long list of its own', Array.from({ length: 50 }, () => 1), `[${'1,'.repeat(19)}…`],
  ])('shows %s', (_name, value, text) => {
    expect(showValue(value)).toBe(text);
  });

  it('says which percents stand below it', () => {
    expect(showHead('delay', { p50: 1, p99: 2 })).toBe('delay p50 / p99');
    expect(showHead('flights', 7)).toBe('flights');
    expect(showHead('own', { wind: 3 })).toBe('own');
  });
});
