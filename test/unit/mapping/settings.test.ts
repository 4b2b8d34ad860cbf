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
    ['parallelization', 11],
    ['retriesMax', -2],
    ['recordAgeMaxMs', 59_999],
    ['recordAgeMaxMs', Number.NaN],
  ] as const)('refuses %s of %d', (name, value) => {
    expect(() => mappingSettings({ [name]: value })).toThrow(`mapping.${name}: got ${value}`);
  });
});
