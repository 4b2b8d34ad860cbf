import { describe, expect, it } from 'vitest';
import { parseFilter } from '../../../src/core/filter-expression.ts';

const EVENT = {
  origin: 'ATL',
  delay: 20,
  date: new Date(1_000),
  late: true,
  note: null,
  from: { city: "O'Hare" },
};

describe('a filter', () => {
  it.each([
    ["origin = 'ATL'", true],
    ["origin != 'ATL'", false],
    ['delay >= 20 and delay < 21', true],
    ['delay > 20', false],
    ['delay <= 19.5', false],
    ['late = true', true],
    ['late = false', false],
    ['note = null', true],
    ['missing = null', true],
    ["from.city = 'O''Hare'", true],
    ["from.city.name = 'x'", false],
    ['date >= 1000', true],
    ["origin > 'AAA' and origin < 'B'", true],
    ["origin >= 'ATL' and origin <= 'ATL'", true],
    ["delay > 'a'", false],
    ['origin > 1', false],
    ['toString = null', true],
  ])('%s is %s', (text, expected) => {
    expect(parseFilter(text)(EVENT)).toBe(expected);
  });

  it.each([
    '',
    'delay',
    'delay >> 2',
    "origin = 'ATL",
    "origin = 'ATL' or late = true",
    'a = 1 and',
    '1 = a',
    'a = 1 andb = 2',
  ])('is refused where it is no comparison: %s', (text) => {
    expect(() => parseFilter(text)).toThrow('comparisons joined by');
  });
});
