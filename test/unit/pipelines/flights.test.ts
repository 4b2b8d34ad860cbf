import { describe, expect, it } from 'vitest';
import { simulatePipeline } from '#millrace/testing';
import { loadPipeline } from '../../../src/project/discover.ts';
import { ROOT } from '../../helpers/sources.ts';

const { pipeline, references } = await loadPipeline(ROOT, 'flights');
const { pipeline: delays } = await loadPipeline(ROOT, 'delays');

function flight(over: object = {}) {
  const data = {
    date: '2026-11-24T10:05:00Z',
    delay: 0,
    distance: 100,
    origin: 'ATL',
    destination: 'SAV',
  };
  return { ...data, ...over };
}

const EVENTS = [
  { id: '1', data: flight({ delay: 16 }) },
  { id: '2', data: flight({ delay: -1 }) },
  { id: '2', data: flight({ delay: -1 }) },
  { id: '3', data: flight({ origin: 'ORD', date: '2026-11-24T11:59:59Z', delay: 15 }) },
  { id: '4', data: flight({ origin: 'ATLANTA' }) },
  { id: '5', data: flight({ origin: 'QQQ' }) },
];

describe('flights', () => {
  it('counts, averages and finds the worst, per origin and hour and day, per route, and overall', async () => {
    const { windows } = await simulatePipeline(pipeline, { events: EVENTS, references });
    const ten = '2026-11-24T10:00:00.000Z';
    const eleven = '2026-11-24T11:00:00.000Z';
    const atlanta = {
      flights: 2,
      meanDelay: 7.5,
      delay: { p50: -1, p95: -1, p99: -1 },
      worst: 16,
      late: 1,
    };
    const chicago = {
      flights: 1,
      meanDelay: 15,
      delay: { p50: 15, p95: 15, p99: 15 },
      worst: 15,
      late: 0,
    };

    expect(windows.origins).toEqual([
      { start: ten, origin: 'ATL', ...atlanta },
      { start: eleven, origin: 'ORD', ...chicago },
    ]);
    const start = '2026-11-24T00:00:00.000Z';
    expect(windows.originDays).toEqual([
      { start, origin: 'ATL', ...atlanta },
      { start, origin: 'ORD', ...chicago },
    ]);
    expect(windows.overall).toEqual([
      { start: ten, ...atlanta, routes: 1, latest: [{ key: 'ATL', weight: 1, error: 0 }] },
      { start: eleven, ...chicago, routes: 1, latest: [] },
    ]);
    const day = { start, destination: 'SAV' };
    expect(windows.routes).toEqual([
      { ...day, origin: 'ATL', flights: 2, distance: 200 },
      { ...day, origin: 'ORD', flights: 1, distance: 100 },
    ]);
  });

  it('refuses an origin that is no airport', async () => {
    const { quarantined } = await simulatePipeline(pipeline, { events: EVENTS, references });
    expect([...quarantined].sort((left, right) => (left.id < right.id ? -1 : 1))).toEqual([
      { reason: 'schema', id: '4' },
      { reason: 'transform', id: '5' },
    ]);
  });

  it('gives the same under all faults', async () => {
    const right = await simulatePipeline(pipeline, { events: EVENTS, references });
    const faulty = await simulatePipeline(pipeline, { events: EVENTS, references, faults: 'all' });
    expect(faulty.windows).toEqual(right.windows);
  });

  it('tells delays of each late flight once, as delays reads it', async () => {
    const { outputs } = await simulatePipeline(pipeline, {
      events: EVENTS,
      references,
      faults: 'all',
      seeds: 5,
    });
    const [late, ...others] = outputs.late ?? [];

    expect(others).toEqual([]);
    expect(late).toEqual({
      id: 'urn:millrace:test 1 0',
      data: {
        departed: '2026-11-24T10:05:00.000Z',
        origin: 'ATL',
        destination: 'SAV',
        delay: 16,
      },
    });
    const { windows } = await simulatePipeline(delays, { events: outputs.late ?? [] });
    const row = { flights: 1, meanDelay: 16, worst: 16 };
    expect(windows.destinations).toEqual([
      { start: '2026-11-24T00:00:00.000Z', destination: 'SAV', ...row },
    ]);
    expect(windows.corridors).toHaveLength(3);
  });
});
