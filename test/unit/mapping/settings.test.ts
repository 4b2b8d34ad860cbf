import { describe, expect, it } from 'vitest';
import { mappingSettings } from '../../../src/mapping/settings.ts';

describe('mappingSettings', () => {
  it('has the defaults of a mapping', () => {
    expect(mappingSettings()).toEqual({
      batchSize: 100,
      windowMs: 0,
      parallelization: 1,
      bisect: false,
      reportsFailures: false,
      retriesMax: -1,
      recordAgeMaxMs: -1,
      startingPosition: { type: 'TRIM_HORIZON' },
      filters: [],
    });
  });

  it.each([
    ['batchSize', 0],
    ['batchSize', 10_001],
    ['windowMs', 300_001],
    ['windowMs', 1_500],
    ['parallelization', 11],
    ['retriesMax', -2],
    ['recordAgeMaxMs', 0],
    ['recordAgeMaxMs', 59_999],
    ['recordAgeMaxMs', 604_800_001],
    ['recordAgeMaxMs', Number.NaN],
  ] as const)('refuses %s of %d', (name, value) => {
    expect(() => mappingSettings({ [name]: value })).toThrow(`mapping.${name}: got ${value}`);
  });

  it.each([
    ['recordAgeMaxMs', 60_000],
    ['recordAgeMaxMs', -1],
    ['retriesMax', 10_000],
    ['windowMs', 300_000],
  ] as const)('takes %s of %d', (name, value) => {
    expect(mappingSettings({ [name]: value })[name]).toBe(value);
  });

  it('refuses a filter that is no pattern', () => {
    expect(() => mappingSettings({ filters: ['x'] })).toThrow('mapping.filters[0]');
  });
});
