import { describe, expect, it } from 'vitest';
import { formatValue, lastOf, withoutUnit } from '../../../web/console/format.ts';

describe('a value on the page', () => {
  it.each([
    [null, 'ms', '–'],
    [850, 'ms', '850 ms'],
    [1_234, 'age (ms)', '1.2 s'],
    [180_000, 'ms', '3 min'],
    [4.567, '% of the events', '4.57 %'],
    [0, 'dollars an hour', '$0.00'],
    [0.01234, 'dollars an hour', '$0.012'],
    [12.3, 'dollars an hour', '$12.30'],
    [1_500, 'bytes', '1.5 kB'],
    [2.5e9, 'bytes', '2.5 GB'],
    [4_980.4, 'events a second', '4,980'],
    [2.345, 'calls', '2.35'],
  ])('%j in %s is %s', (value, unit, expected) => {
    expect(formatValue(value, unit)).toBe(expected);
  });

  it('is a fresh one while the run goes on, and the last one when it is over', () => {
    const points = [1, 2, null, null, null, null, null];
    expect(lastOf(points, true)).toBeNull();
    expect(lastOf(points, false)).toBe(2);
    expect(lastOf([1, 2, null], true)).toBe(2);
  });

  it('has a label without the unit where that stands elsewhere', () => {
    expect(withoutUnit('arrival to result, p99 (ms)')).toBe('arrival to result, p99');
    expect(withoutUnit('quarantined')).toBe('quarantined');
  });
});
