import { expect, it } from 'vitest';
import { simulatePipeline } from '#millrace/testing';
import pipeline from '../../../pipelines/earthquakes/pipeline.ts';

const NOON_MS = Date.UTC(2026, 10, 24, 12);

function quake(id: string, over: object = {}) {
  const properties = {
    mag: 1,
    time: NOON_MS,
    place: 'here',
    net: 'ak',
    type: 'earthquake',
    tsunami: 0,
    ...over,
  };
  return { id, data: { properties, geometry: { coordinates: [0, 0, 10] } } };
}

it('sorts earthquakes by size, leaves other blasts out, and skips unknown magnitudes', async () => {
  const { windows } = await simulatePipeline(pipeline, {
    events: [
      quake('1', { mag: 5 }),
      quake('2', { mag: null }),
      quake('3', { mag: 2, type: 'quarry blast' }),
      quake('4', { mag: 0.5, net: 'us' }),
    ],
    faults: ['crash', 'loseAnswer', 'reshard'],
  });

  expect(windows.networks).toEqual([
    { start: '2026-11-24T00:00:00.000Z', net: 'ak', quakes: 2, strongest: 5, depth: 10 },
    { start: '2026-11-24T00:00:00.000Z', net: 'us', quakes: 1, strongest: 0.5, depth: 10 },
  ]);
  expect(windows.sizes).toMatchObject([
    { size: 'large', quakes: 1, energy: 10 ** (1.5 * 5 + 4.8) },
    { size: 'small', quakes: 2, weakest: 0.5 },
  ]);
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
          return { ...Object(row), net: String(calls), size: 'x', magnitude: calls, depth: 1 };
        },
      },
    ],
  };
  const events = Array.from({ length: 20 }, (_, index) => quake(String(index)));
  const broken = simulatePipeline(impure, { events, faults: 'all' });
  await expect(broken).rejects.toMatchObject({ name: 'SimulationError' });
  await expect(broken).rejects.toThrow(/seed \d+: .*stored/);
});
