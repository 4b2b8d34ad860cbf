import { describe, expect, it } from 'vitest';
import { simulatePipeline } from '#millrace/testing';
import pipeline from '../../../pipelines/birdstrikes/pipeline.ts';
import { compile } from '../../../src/core/compile.ts';
import { runEvents } from '../../../src/local/feed/source.ts';
import { loadFeed, loadPipeline } from '../../../src/project/discover.ts';
import { ROOT } from '../../helpers/sources.ts';

const DAY_MS = Date.UTC(2026, 10, 24);

function strike(report: string, over: object = {}) {
  const data = {
    report,
    day: DAY_MS,
    airport: 'HERE',
    state: 'Texas',
    phase: 'Climb',
    species: 'Gull',
    damage: 'None',
    cost: 0,
    speed: 100,
  };
  return { id: report, data: { ...data, ...over } };
}

describe('birdstrikes', () => {
  it('go by report where the day is the same, and skip unknown speeds', async () => {
    const { windows } = await simulatePipeline(pipeline, {
      events: [
        strike('b', { airport: 'B', damage: 'Minor', cost: 0.1 }),
        strike('c', { airport: 'C', speed: null, cost: 0.2, species: 'Heron' }),
        strike('a', { airport: 'A', speed: 240 }),
      ],
      faults: 'all',
    });
    const start = '2026-11-19T00:00:00.000Z';
    expect(windows.states).toEqual([
      {
        start,
        state: 'Texas',
        strikes: 3,
        damaging: 1 / 3,
        cost: 0.1 + 0.2,
        firstAirport: 'A',
        lastAirport: 'C',
      },
    ]);
    expect(windows.phases).toMatchObject([
      {
        phase: 'Climb',
        strikes: 3,
        speed: { p10: 100, p50: 100, p90: 100 },
        spread: Math.sqrt(9_800),
      },
    ]);
    expect(windows.overall).toMatchObject([
      {
        species: 2,
        costliest: [
          { key: 'Heron', weight: 0.2 },
          { key: 'Gull', weight: 0.1 },
        ],
      },
    ]);
  });

  it('counts a report once, and refuses another of the same name', async () => {
    const { windows, quarantined } = await simulatePipeline(pipeline, {
      events: [strike('a'), strike('a'), strike('a', { cost: 1 }), strike('b', { cost: -1 })],
    });
    expect(windows.states).toMatchObject([{ strikes: 1 }]);
    expect(quarantined.map(({ reason }) => reason).sort()).toEqual(['id-conflict', 'schema']);
  });

  it('equals the batch computation for real strikes under faults', async () => {
    const folder = await loadPipeline(ROOT, 'birdstrikes');
    const feed = await loadFeed(folder);
    if (feed === undefined) throw new Error('the feed is missing');
    const spec = { run: 'r', events: 600, seed: 1, bad: 0, duplicates: 0, nowMs: DAY_MS };
    const program = compile(pipeline);
    const { events } = await runEvents(spec as never, { folder, feed: feed as never, program });
    const { windows } = await simulatePipeline(pipeline, {
      events: [...events].map(({ bytes }) => ({ data: JSON.parse(Buffer.from(bytes).toString()) })),
      startMs: DAY_MS,
      faults: ['crash', 'loseAnswer'],
      seeds: 1,
    });
    const strikes = windows.overall?.reduce((sum, { strikes: some }) => sum + Number(some), 0);
    expect(strikes).toBe(600);
  });
});
