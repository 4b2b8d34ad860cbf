import { describe, expect, it } from 'vitest';
import { DEV, PROD } from '../../../lib/config/environment.ts';
import { compile } from '../../../src/core/compile.ts';
import { totalOf } from '../../../src/plan/cost-line.ts';
import type { Deployment } from '../../../src/plan/deployment.ts';
import { holds, makePlan, type Plan } from '../../../src/plan/plan.ts';
import { PRICE_LIST } from '../../../src/plan/prices.ts';
import { recommend } from '../../../src/plan/recommend.ts';
import { sampleOf } from '../../../src/plan/sample.ts';
import { PROFILES, type ProfileName } from '../../../src/plan/traffic.ts';
import { unknownSample } from '../../../src/plan/unknown-sample.ts';
import { smallPipeline } from '../../helpers/small-pipeline.ts';
import { envelope, NOON_MS } from '../../helpers/world.ts';

/** Events of so many places, alike. */
function planOf(
  rate: number,
  over: {
    readonly deployment?: Deployment;
    readonly places?: number;
    readonly profile?: ProfileName;
    readonly days?: number;
    readonly partitions?: number | 'shard';
  } = {},
): Promise<Plan> {
  const { deployment = PROD, places = 64, profile = 'flat', days = 730 / 24 } = over;
  const program = compile({ ...smallPipeline, partitions: over.partitions ?? 2 });
  const sent = Array.from({ length: 640 }, (_, index) => {
    const data = { place: `place-${index % places}`, at: NOON_MS, amount: index };
    return { bytes: envelope({ sequence: index, data }), timeMs: NOON_MS };
  });
  const source = { program, deployment, sample: sampleOf(program, sent), bad: 0.001 };
  return makePlan(source, { rate, levels: PROFILES[profile], days });
}

function usd(plan: Plan, service: string, what: string): number {
  return totalOf(plan.lines.filter((line) => line.service === service && line.what === what));
}

describe('the bill', () => {
  it('has formula, quantity and price of each line, which make its dollars', async () => {
    const plan = await planOf(100);
    expect(plan.lines.length).toBeGreaterThan(25);
    for (const { formula, quantity, price, usd: dollars } of plan.lines) {
      expect(formula).not.toBe('');
      expect(dollars).toBeCloseTo(quantity * PRICE_LIST[price].usd, 10);
    }
    expect(plan.total).toBeCloseTo(totalOf(plan.lines), 10);
  });

  it('of a stream on demand counts each record as a kilobyte at least, and each reader', async () => {
    const plan = await planOf(1_000);
    const gb = (1_000 * 730 * 3_600 * 1_024) / 1_073_741_824;
    expect(usd(plan, 'Kinesis', 'in')).toBeCloseTo(gb * 0.08, 4);
    expect(usd(plan, 'Kinesis', 'out')).toBeCloseTo(2 * gb * 0.04, 4);
    expect(usd(plan, 'Kinesis', 'stream')).toBeCloseTo(29.2, 4);
  });

  it('of shards counts hours and units of 25 KB', async () => {
    const plan = await planOf(100, { deployment: DEV });
    expect(usd(plan, 'Kinesis', 'shards')).toBeCloseTo(0.015 * 730, 4);
    expect(usd(plan, 'Kinesis', 'PUT units')).toBeCloseTo(0.014 * 262.8, 2);
    const half = await planOf(100, { deployment: DEV, days: 730 / 48 });
    expect(usd(half, 'Kinesis', 'shards')).toBeCloseTo(0.015 * 730, 4);
  });

  it('of kept events has a write unit for each and a little for their index', async () => {
    const plan = await planOf(1_000);
    const each = usd(plan, 'DynamoDB', 'kept events, writes') / (1_000 * 730 * 3_600 * 0.625e-6);
    expect(each).toBeGreaterThan(1);
    expect(each).toBeLessThan(1.1);
  });

  it('grows by less than the traffic where cells and batches are shared', async () => {
    const [low, high] = [await planOf(100), await planOf(1_000)];
    const window = (plan: Plan) => usd(plan, 'DynamoDB', 'window places, writes');
    expect(window(high)).toBeGreaterThan(window(low));
    expect(window(high)).toBeLessThan(10 * window(low));
  });

  it('is halved in its traffic by half of the days, not in what stands there anyway', async () => {
    const [whole, half] = [await planOf(500), await planOf(500, { days: 730 / 48 })];
    const calls = (plan: Plan) => usd(plan, 'Lambda', 'consume, calls');
    expect(calls(half)).toBeCloseTo(calls(whole) / 2, 6);
    expect(usd(half, 'KMS', 'keys')).toBe(usd(whole, 'KMS', 'keys'));
  });

  it('has no archive where the environment leaves it out', async () => {
    const plan = await planOf(100, { deployment: { ...PROD, archive: false } });
    expect(plan.lines.filter(({ service }) => service === 'Archive')).toEqual([]);
    expect(plan.alternatives.map(({ name }) => name).join()).not.toContain('Firehose');
  });

  it('of a stream that is scaled has the shards of each hour, and who scales it', async () => {
    const stream = { type: 'provisioned', shards: 1, scaleTo: 8 } as const;
    const plan = await planOf(800, {
      deployment: { ...DEV, stream },
      profile: 'bursts',
      partitions: 8,
    });
    const hours = plan.lines.find(({ what }) => what === 'shards')?.quantity ?? 0;
    expect(plan.month.levels.map(({ usage }) => usage.shards)).toEqual([1, 8]);
    expect(hours).toBeCloseTo(730 * (11 / 12 + 8 / 12), 6);
    expect(usd(plan, 'Scaler', 'metrics read')).toBeCloseTo(1.314, 3);
  });

  it('of provisioned tables is by capacity, between its bounds', async () => {
    const tables = { events: { write: { least: 5, most: 400 }, read: { least: 2, most: 10 } } };
    const [low, high] = [
      await planOf(1, { deployment: { ...PROD, tables } }),
      await planOf(200, { deployment: { ...PROD, tables } }),
    ];
    const writes = (plan: Plan) => usd(plan, 'DynamoDB', 'table events, capacity for writes');
    expect(writes(low)).toBeCloseTo(5 * 730 * 0.00065, 6);
    expect(writes(high) / (730 * 0.00065)).toBeGreaterThan(200 / 0.7);
    expect(usd(high, 'DynamoDB', 'kept events, writes')).toBe(0);
    const limit = high.limits.find(({ what }) =>
      what.startsWith('table events grows to 400 write'),
    );
    expect(limit?.rate).toBeGreaterThan(350);
    expect(limit?.rate).toBeLessThan(400);
  });

  it('is the same in every run', async () => {
    const [first, second] = [await planOf(321), await planOf(321)];
    expect(second.lines).toEqual(first.lines);
  });

  it('is made for a pipeline of which only the definition is known', async () => {
    const program = compile(smallPipeline);
    const sample = unknownSample(smallPipeline, program);
    const source = { program, deployment: PROD, sample, bad: 0 };
    const plan = await makePlan(source, { rate: 100, levels: PROFILES.flat, days: 30 });
    expect(plan.total).toBeGreaterThan(0);
    expect(plan.lines.every(({ usd: dollars }) => Number.isFinite(dollars))).toBe(true);
  });
});

describe('what other ways cost', () => {
  it('is a number where each batch touches a cell for certain', async () => {
    for (const rate of [333, 1_111, 3_141, 7_777]) {
      const { alternatives } = await planOf(rate, { places: 1, partitions: 1 });
      expect(alternatives.length).toBeGreaterThan(3);
      for (const { more } of alternatives) expect(more).toSatisfy(Number.isFinite);
    }
  });
});

describe('limits', () => {
  it('name the shard first where one takes all', async () => {
    const plan = await planOf(2_000, { deployment: DEV });
    expect(holds(plan)).toBe(false);
    expect(plan.limits.find(({ soft }) => !soft)).toMatchObject({ rate: 1_000 });
    expect(plan.limits.find(({ soft }) => !soft)?.what).toContain('of 1 shards');
  });

  it('are the same rates whatever rate is planned', async () => {
    const shardLimit = (plan: Plan) =>
      plan.limits.find(({ what }) => what.includes('shards'))?.rate;
    const [low, high] = [
      await planOf(10, { deployment: DEV }),
      await planOf(900, { deployment: DEV }),
    ];
    expect(shardLimit(low)).toBe(shardLimit(high));
  });

  it('count the peak, not the mean', async () => {
    expect(holds(await planOf(500, { deployment: DEV }))).toBe(true);
    expect(holds(await planOf(500, { deployment: DEV, profile: 'bursts' }))).toBe(false);
  });

  it('tell of a key that no sharding helps', async () => {
    const plan = await planOf(3_000, { places: 1 });
    const key = plan.limits.find(({ what }) => what.includes('busiest key'));
    expect(key?.rate).toBe(1_000);
  });
});

describe('settings', () => {
  it('stay as they are where they carry the peak', async () => {
    expect(recommend((await planOf(300)).planned).changes).toEqual([]);
  });

  it.each([1_000, 5_000, 20_000])('that are recommended carry %s events a second', async (rate) => {
    const { planned } = await planOf(rate, { deployment: DEV, places: 640 });
    const { partitions, deployment, changes } = recommend(planned);
    expect(changes.length).toBeGreaterThan(0);
    const plan = await planOf(rate, { deployment, partitions, places: 640 });
    expect(plan.limits.filter((limit) => !limit.soft && limit.rate < rate)).toEqual([]);
    expect(holds(plan)).toBe(true);
  });

  it('never lower what is configured', async () => {
    const { planned } = await planOf(10, { deployment: DEV });
    const wide = { ...planned.deployment.consumer, parallelizationFactor: 7 };
    const { deployment } = recommend({
      ...planned,
      deployment: { ...planned.deployment, consumer: wide },
    });
    expect(deployment.consumer.parallelizationFactor).toBe(7);
  });
});
