import { readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Accumulator } from '#millrace';
import { simulatePipeline } from '#millrace/testing';
import pipeline from '../../../pipelines/earthquakes/pipeline.ts';
import { eventsOf, foldSomehow, itHoldsTheLaws } from '../../helpers/accumulator-laws.ts';
import { ROOT } from '../../helpers/sources.ts';

const NOON_MS = Date.UTC(2026, 10, 24, 12);

function quake(id: string, over: object = {}, depth = 10) {
  const properties = {
    mag: 1,
    time: NOON_MS,
    place: 'here',
    net: 'ak',
    type: 'earthquake',
    tsunami: 0,
    ...over,
  };
  return { id, data: { properties, geometry: { coordinates: [0, 0, depth] } } };
}

function realMagnitudes(): readonly number[] {
  const file = path.join(ROOT, 'node_modules/vega-datasets/data/earthquakes.json');
  const { features } = JSON.parse(readFileSync(file, 'utf8'));
  return features
    .map(({ properties }: { properties: { mag: number | null } }) => properties.mag)
    .filter((magnitude: number | null) => magnitude !== null);
}

it('sorts earthquakes by size, leaves other blasts out, and skips unknown magnitudes', async () => {
  const { windows } = await simulatePipeline(pipeline, {
    events: [
      quake('1', { mag: 5, place: '12 km N of Willow, Alaska' }),
      quake('2', { mag: null, time: NOON_MS + 1, place: 'Kuril Islands' }),
      quake('3', { mag: 2, type: 'quarry blast' }),
      quake('4', { mag: 0.5, net: 'us', place: 'Cobb, California' }, 300),
      quake('5', { mag: 1.5, net: 'us', place: 'Ridgecrest, California' }),
    ],
    faults: ['crash', 'loseAnswer', 'reshard'],
  });

  const start = '2026-11-24T00:00:00.000Z';
  expect(windows.networks).toEqual([
    { start, net: 'ak', quakes: 2, strongest: 5, depth: 10, place: 'Kuril Islands' },
    { start, net: 'us', quakes: 2, strongest: 1.5, depth: 155, place: 'Ridgecrest, California' },
  ]);
  const joules = (magnitude: number) => Math.round(10 ** (1.5 * magnitude + 4.8));
  expect(windows.sizes).toMatchObject([
    { size: 'large', quakes: 1, spread: 0, energy: joules(5), regions: [{ key: 'Alaska' }] },
    {
      size: 'small',
      quakes: 3,
      weakest: 0.5,
      spread: 0.25,
      energy: joules(0.5) + joules(1.5),
      regions: [
        { key: 'California', weight: 2 },
        { key: 'Kuril Islands', weight: 1 },
      ],
      depths: [{ count: 2 }, { count: 0 }, { count: 1 }],
    },
  ]);
});

describe('energy', () => {
  const { accumulator } = pipeline.windows.sizes.keep['energy'] ?? {};
  itHoldsTheLaws({
    accumulator: accumulator as never,
    input: fc.double({ min: -2, max: 10, noNaN: true }),
  });

  it('is the same to the bit in any order of real magnitudes', () => {
    const magnitudes = realMagnitudes();
    const joules = (values: readonly number[]) =>
      Number(values.reduce((sum, one) => sum + BigInt(Math.round(10 ** (1.5 * one + 4.8))), 0n));
    const any = accumulator as unknown as Accumulator<number, unknown, number>;
    const state = foldSomehow(any, eventsOf(magnitudes), 7);
    expect(magnitudes.length).toBeGreaterThan(1_500);
    expect(any.result(state)).toBe(joules(magnitudes));
  });

  it('refuses a magnitude that is too large for a number', async () => {
    const { quarantined } = await simulatePipeline(pipeline, {
      events: [quake('1', { mag: 1e300 }), quake('2')],
    });
    expect(quarantined).toEqual([{ reason: 'transform', id: '1' }]);
  });
});

it('a promise that is broken throws with seed and timeline', async () => {
  let calls = 0;
  const impure = {
    ...pipeline,
    steps: [
      {
        op: 'map' as const,
        run: (row: never) => {
          calls += 1;
          return {
            ...Object(row),
            net: String(calls),
            size: 'x',
            magnitude: calls % 9,
            depth: 1,
            region: '',
            place: '',
          };
        },
      },
    ],
  };
  const events = Array.from({ length: 20 }, (_, index) => quake(String(index)));
  const broken = simulatePipeline(impure, { events, faults: 'all' });
  await expect(broken).rejects.toMatchObject({ name: 'SimulationError' });
  await expect(broken).rejects.toThrow(/seed \d+: .*stored/);
});
