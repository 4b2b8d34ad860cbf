import { describe, expect, it } from 'vitest';
import { coverageOf, type Exercised, seldomHit } from '../../src/sim/coverage.ts';
import { FAULT_NAMES, NO_FAULTS } from '../../src/sim/faults.ts';
import { PLAIN_POLICIES } from '../../src/sim/policies.ts';
import { simulateSmall, type Variant } from '../helpers/simulate-small.ts';
import seeds from './seeds.json' with { type: 'json' };

const SEEDS = Number(process.env.MILLRACE_SEEDS ?? 600);
const FIRST_SEED = Number(process.env.MILLRACE_SEED ?? 1);
const EVENTS = 60;

/** Every await of the protocol; `stream.parents` only where writers are shards. */
const AWAITS = [
  'aggregates.putIf',
  'aggregates.query',
  'bucket.put',
  'events.putAll',
  'ledger.get attempt',
  'ledger.get entry',
  'ledger.get id-key',
  'ledger.get versions',
  'ledger.putAll registry',
  'ledger.putIf attempt computing',
  'ledger.putIf attempt writing',
  'ledger.putIf entry',
  'ledger.putIf id-key',
  'ledger.putIf versions',
  'ledger.query chain',
  'ledger.query newer',
  'ledger.query registry',
  'pause',
  'quarantine-index.putAll',
  'stream.identify',
];

/** What faults are counted as, where that is not their name. */
const COUNTED_AS: Readonly<Record<string, string>> = { reshard: 'split' };

async function holds(variant: Variant, count: number): Promise<readonly Exercised[]> {
  const all: Exercised[] = [];
  for (let seed = FIRST_SEED; seed < FIRST_SEED + count; seed += 1) {
    const result = await simulateSmall(seed, { variant, count: EVENTS });
    const replay = `MILLRACE_SEED=${seed} MILLRACE_SEEDS=1`;
    expect(result.violations, `${variant} ${replay}`).toEqual([]);
    all.push({ ...result, events: EVENTS });
  }
  return all;
}

describe('simulation', () => {
  it('gives the same trace for the same seed', async () => {
    for (const variant of ['small', 'shards', 'wide'] as const) {
      for (let seed = 1; seed <= 20; seed += 1) {
        const { hash, counts } = await simulateSmall(seed, { variant });
        const again = await simulateSmall(seed, { variant });
        expect(again.hash, `${variant} ${seed}`).toBe(hash);
        expect(again.counts).toEqual(counts);
      }
    }
    expect((await simulateSmall(8)).hash).not.toBe((await simulateSmall(7)).hash);
  }, 60_000);

  it('holds every promise without faults', async () => {
    const { violations, counts, fates } = await simulateSmall(1, { faults: NO_FAULTS });

    expect(violations).toEqual([]);
    expect(counts).not.toHaveProperty('crash');
    expect(fates).toEqual({ done: 60 });
  });

  it(`holds every promise under all faults, for ${SEEDS} seeds, and each fault occurs`, async () => {
    const coverage = coverageOf(await holds('small', SEEDS));

    if (SEEDS < 600) return;
    expect([...coverage.awaits.keys()]).toEqual(AWAITS);
    expect(seldomHit(coverage)).toEqual([]);
    const names = FAULT_NAMES.map((fault) => COUNTED_AS[fault] ?? fault);
    const others = ['merge', 'cold start', 'throttled invocation', 'throttled item', 'keeper'];
    const ends = ['function died', 'function timed out', 'function threw', 'thawed after its end'];
    for (const name of [...names, ...others, ...ends]) {
      expect(coverage.counts[name], name).toBeGreaterThan(0);
    }
    expect(coverage.medianFaults).toBeGreaterThanOrEqual(5);
  }, 600_000);

  it('holds where writers are shards that split and merge', async () => {
    const coverage = coverageOf(await holds('shards', Math.ceil(SEEDS / 2)));

    if (SEEDS < 600) return;
    expect([...coverage.awaits.keys()]).toEqual([...AWAITS, 'stream.parents']);
    expect(coverage.counts.split).toBeGreaterThan(100);
    expect(coverage.counts.merge).toBeGreaterThan(50);
  }, 600_000);

  it.each(seeds)('holds for $variant, seed $seed, which once failed: $found', async (failed) => {
    const { variant, seed, killers = 0 } = failed;
    const { violations } = await simulateSmall(seed, {
      variant: variant as Variant,
      mix: { killers },
    });

    expect(violations).toEqual([]);
  });

  it('survives a crash before and after each request', async () => {
    const quiet = { count: 16, faults: NO_FAULTS, policies: PLAIN_POLICIES };
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
});

describe('events that kill the function', () => {
  it('are found, and no others, where nothing else goes wrong', async () => {
    let found = 0;
    for (let seed = 1; seed <= 10; seed += 1) {
      const mix = { killers: 0.05 };
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
  }, 60_000);

  it('block nothing for ever under all faults', async () => {
    for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS / 4; seed += 1) {
      const { violations } = await simulateSmall(seed, { mix: { killers: 0.03 } });
      expect(violations, `MILLRACE_SEED=${seed} MILLRACE_SEEDS=1`).toEqual([]);
    }
  }, 600_000);
});
