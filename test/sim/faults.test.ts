import { describe, expect, it } from 'vitest';
import { NO_FAULTS } from '../../src/sim/faults.ts';
import { simulateSmall } from '../helpers/simulate-small.ts';
import seeds from './seeds.json' with { type: 'json' };

const SEEDS = Number(process.env.MILLRACE_SEEDS ?? 400);
const FIRST_SEED = Number(process.env.MILLRACE_SEED ?? 1);

/** Every await of the protocol, and what can go wrong at it. */
const REQUESTS = [
  'stream.identify',
  'ledger.get',
  'ledger.query',
  'ledger.putIf',
  'ledger.putAll',
  'aggregates.query',
  'aggregates.putIf',
  'events.putAll',
  'bucket.put',
  'quarantine-index.putAll',
];
const ON_REQUESTS = ['crash', 'refuse', 'loseAnswer', 'applyLate', 'slow'];

/** Awaits that some fault hit less than 20 times. */
function seldomHit(hits: Readonly<Record<string, number>>): readonly string[] {
  const names = REQUESTS.flatMap((request) => ON_REQUESTS.map((fault) => `${request} ${fault}`));
  return names.filter((name) => (hits[name] ?? 0) < 20);
}

function addTo(sums: Record<string, number>, more: Readonly<Record<string, number>>): void {
  for (const [name, count] of Object.entries(more)) sums[name] = (sums[name] ?? 0) + count;
}

describe('simulation', () => {
  it('gives the same trace for the same seed', async () => {
    const [first, again, other] = [
      await simulateSmall(7),
      await simulateSmall(7),
      await simulateSmall(8),
    ];

    expect(again.hash).toBe(first.hash);
    expect(other.hash).not.toBe(first.hash);
  });

  it('holds every promise without faults', async () => {
    const { violations, counts } = await simulateSmall(1, { faults: NO_FAULTS });

    expect(violations).toEqual([]);
    expect(counts).not.toHaveProperty('crash');
  });

  it(`holds every promise under all faults, for ${SEEDS} seeds, and each fault occurs`, async () => {
    const counts: Record<string, number> = {};
    const hits: Record<string, number> = {};
    for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed += 1) {
      const result = await simulateSmall(seed);
      expect(result.violations, `MILLRACE_SEED=${seed} MILLRACE_SEEDS=1`).toEqual([]);
      addTo(counts, result.counts);
      addTo(hits, result.hits);
    }
    if (SEEDS >= 400) expect(seldomHit(hits)).toEqual([]);
    const named = ['crash', 'refuse', 'loseAnswer', 'applyLate', 'slow', 'outage', 'cold start'];
    const events = ['event sent twice', 'split', 'merge', 'throttled invocation'];
    for (const name of [...named, ...events, 'lost checkpoint', 'failed invocation']) {
      expect(counts[name], name).toBeGreaterThan(0);
    }
  }, 600_000);

  it.each(seeds)('holds for seed $seed, which once failed: $found', async ({ seed }) => {
    expect((await simulateSmall(seed)).violations).toEqual([]);
  });

  it('survives a crash before and after each request', async () => {
    const quiet = { count: 16, faults: NO_FAULTS };
    const { requests } = await simulateSmall(3, quiet);
    expect(requests).toBeGreaterThan(10);

    for (let request = 1; request <= requests; request += 1) {
      for (const phase of ['before', 'after'] as const) {
        const crashAt = { request, phase };
        const { violations, counts } = await simulateSmall(3, { ...quiet, crashAt });
        expect(violations, `request ${request}, ${phase}`).toEqual([]);
        expect(counts.crash).toBe(1);
      }
    }
  }, 60_000);

  it('finds the events that kill the function, and no others', async () => {
    const mix = { killers: 0.05 };
    let found = 0;
    for (let seed = 1; seed <= 10; seed += 1) {
      const { violations, world } = await simulateSmall(seed, { mix, faults: NO_FAULTS });
      const crashed = world.quarantineIndex.items().filter(({ r }) => r === 'crash');
      found += crashed.length;
      const places = crashed.map(({ o, l }) => {
        const text = Buffer.from(world.quarantine.objects.get(String(o)) ?? []).toString();
        const document = JSON.parse(text.split('\n')[Number(l)] ?? '');
        return JSON.parse(Buffer.from(document.bytes, 'base64').toString()).data.place;
      });
      expect(violations, `seed ${seed}`).toEqual([]);
      expect(new Set([...places, 'killer'])).toEqual(new Set(['killer']));
    }
    expect(found).toBeGreaterThan(10);
  }, 120_000);
});
