import { describe, expect, it } from 'vitest';
import type {
  ArchiveConfig,
  ConsumerConfig,
  EnvironmentConfig,
} from '../../lib/config/environment.ts';
import { checkSettings, RULES, UnsafeSettingsError } from '../../lib/safety/rules.ts';
import { compile } from '../../src/core/compile.ts';
import type { Program } from '../../src/core/program.ts';
import { smallPipeline } from '../helpers/small-pipeline.ts';
import { DEV, PROD, synth } from '../helpers/synth.ts';

const program = compile(smallPipeline);

/** Of the environments that come with the project, the one that uses everything. */
const ARCHIVE = PROD.archive as ArchiveConfig;

function broken(change: {
  readonly consumer?: Partial<ConsumerConfig>;
  readonly archive?: Partial<ArchiveConfig>;
  readonly environment?: Partial<EnvironmentConfig>;
  readonly settings?: Partial<Program['settings']>;
  readonly aggregate?: Partial<Program['aggregates'][number]>;
  readonly latencyP99Ms?: number;
}): readonly string[] {
  const consumer = { ...DEV.consumer, ...change.consumer };
  const archive = { ...ARCHIVE, ...change.archive };
  const environment = { ...DEV, archive, ...change.environment, consumer };
  const settings = { ...program.settings, ...change.settings };
  const aggregates = program.aggregates.map((one) => ({ ...one, ...change.aggregate }));
  try {
    checkSettings({
      program: { name: program.name, outputs: program.outputs, settings, aggregates },
      environment,
      latencyP99Ms: change.latencyP99Ms ?? 60_000,
    });
    return [];
  } catch (error) {
    if (!(error instanceof UnsafeSettingsError)) throw error;
    return error.fields.rules as string[];
  }
}

const CASES: Readonly<Record<string, Parameters<typeof broken>[0]>> = {
  'batch size is 1 to 10,000': { consumer: { batchSize: 0 } },
  'batching window is 0 to 300 seconds': {
    consumer: { batchingWindowSeconds: 301 },
    environment: { alarms: { ...DEV.alarms, iteratorAge: '1 hour' } },
    latencyP99Ms: 1e9,
  },
  'parallelization factor is 1 to 10': { consumer: { parallelizationFactor: 11 } },
  'function time-out is 10 to 900 seconds': {
    consumer: { timeoutSeconds: 901 },
    environment: { alarms: { ...DEV.alarms, iteratorAge: '1 hour' } },
  },
  'a whole batch fits the time-out': { consumer: { batchSize: 10_000, timeoutSeconds: 60 } },
  'the latency objective is longer than the batching window': {
    consumer: { batchingWindowSeconds: 5 },
    latencyP99Ms: 5_000,
  },
  'the mapping never gives up': { consumer: { retryAttempts: 3 } },
  'giving up: there is an archive to rebuild from': {
    consumer: { retryAttempts: 3, giveUp: { standby: 2 } },
    environment: { archive: false },
  },
  'giving up: the generation that stands by is 2 to 9,999': {
    consumer: { giveUp: { standby: 1 } },
  },
  'giving up: limits are within Lambda’s ranges': {
    consumer: { maxRecordAgeSeconds: 59, giveUp: { standby: 2 } },
  },
  'parallel batches need partitions': {
    consumer: { parallelizationFactor: 2 },
    settings: { partitions: 'shard' },
  },
  'the deduplication horizon is at most the stream’s retention': {
    settings: { horizonMs: 2 * 86_400_000 },
  },
  'results outlive the lateness of their windows': {
    aggregate: { retentionMs: 1_000, latenessMs: 2_000 },
  },
  'a writer that works on a batch does not count as idle': {
    settings: { closing: { idleMs: 120_999 } },
  },
  'results outlive the closing of their windows': {
    settings: { closing: { idleMs: 600_000 } },
    aggregate: { closes: true, retentionMs: 86_400_000 + 599_999, latenessMs: 0, gapMs: 0 },
  },
  'no more shards than partitions': {
    environment: { stream: { type: 'provisioned', shards: 3 } },
  },
  'webhooks are encrypted on their way': {
    environment: { alarms: { ...DEV.alarms, webhooks: ['http://example.com/hook'] } },
  },
  'function memory is 256 to 10,240 MB': { consumer: { memoryMb: 128 } },
  'the alarm on age allows the batching window and two tries': {
    consumer: { timeoutSeconds: 150 },
  },
  'silence is told in whole minutes, up to a day': {
    environment: { alarms: { ...DEV.alarms, noEvents: '90 seconds' } },
  },
  'a stream has one shard or more': {
    environment: { stream: { type: 'provisioned', shards: 0 } },
  },
  'a stream is scaled by doubling, to no more shards than partitions': {
    environment: { stream: { type: 'provisioned', shards: 1, scaleTo: 4 } },
  },
  'an environment’s name can be part of a stack’s': { environment: { name: 'my env' } },
  'capacity of a table is 1 to 40,000 units, the least first': {
    environment: {
      tables: { events: { write: { least: 10, most: 5 }, read: { least: 1, most: 10 } } },
    },
  },
  'expected traffic is a rate, a size and a share': {
    environment: { traffic: { small: { eventsPerSecond: 0 } } },
  },
  'the expected traffic fits': {
    environment: { traffic: { small: { eventsPerSecond: 1_001 } } },
  },
  'results are in time where batches are full': {
    environment: { traffic: { small: { eventsPerSecond: 10 } } },
    latencyP99Ms: 1_200,
  },
  'archive: batch size is 1 to 10,000': { archive: { batchSize: 0 } },
  'archive: batching window is 0 to 300 seconds': { archive: { batchingWindowSeconds: 301 } },
  'archive: a whole batch fits the time-out, of 10 to 900 seconds': {
    archive: { timeoutSeconds: 20 },
  },
  'archive: a batch fits the memory': { archive: { memoryMb: 128 } },
  'archive: the alarm waits longer than the batching window': {
    environment: { alarms: { ...DEV.alarms, archiveAge: '5 minutes' } },
  },
  'archive: the alarm comes while the stream can still help': {
    environment: { alarms: { ...DEV.alarms, archiveAge: '7 hours' } },
  },
  'archive: storage classes come one after the other, then the deletion': {
    archive: { glacier: '50 days' },
  },
};

describe('safety rules', () => {
  it('accept the environments that come with the project', () => {
    expect(broken({})).toEqual([]);
    expect(broken({ environment: PROD })).toEqual([]);
  });

  it.each(RULES.map(({ rule }) => rule))('refuse when this does not hold: %s', (rule) => {
    const change = CASES[rule];
    expect(change, 'a case of this rule').toBeDefined();
    expect(broken(change ?? {})).toEqual([rule]);
  });

  it.each<Partial<ArchiveConfig>>([
    { infrequentAccess: '29 days', glacier: null },
    { infrequentAccess: '30.5 days', glacier: null },
    { infrequentAccess: '365 days', glacier: null },
    { infrequentAccess: null, glacier: '365 days' },
  ])('refuse the storage classes %j', (archive) => {
    expect(broken({ archive })).toEqual([
      'archive: storage classes come one after the other, then the deletion',
    ]);
  });

  it.each<Partial<ArchiveConfig>>([
    { infrequentAccess: null, glacier: null },
    { infrequentAccess: null, glacier: '0 days' },
    { infrequentAccess: '334 days', glacier: '364 days' },
  ])('accept the storage classes %j', (archive) => {
    expect(broken({ archive })).toEqual([]);
  });

  it('accept limits where a generation stands by', () => {
    expect(broken({ consumer: { retryAttempts: 3, giveUp: { standby: 2 } } })).toEqual([]);
  });

  it('ask nothing of an archive that is left out', () => {
    const archive = { ...ARCHIVE, memoryMb: 1, batchSize: 0, glacier: '1 day' } as const;
    expect(broken({ archive }).length).toBeGreaterThan(2);
    const { retention } = program.settings;
    const settings = { retention: { ...retention, archiveMs: null } };
    expect(broken({ archive, settings })).toEqual([]);
    expect(broken({ environment: { archive: false } })).toEqual([]);
  });

  it.each([
    { eventsPerSecond: 1_000 },
    { eventsPerSecond: 500, recordBytes: 2_000 },
    { eventsPerSecond: 1, hottestKey: 1 },
  ])('accept the expected traffic %j', (traffic) => {
    expect(broken({ environment: { traffic: { small: traffic } } })).toEqual([]);
  });

  it.each([
    { eventsPerSecond: 1_000, recordBytes: 1_100 },
    { eventsPerSecond: 600, recordBytes: 1_800 },
  ])('refuse that one shard gets %j', (traffic) => {
    expect(broken({ environment: { traffic: { small: traffic } } })).toEqual([
      'the expected traffic fits',
    ]);
  });

  it('refuse a key that no number of shards helps', () => {
    const stream = { type: 'on-demand' } as const;
    const check = (hottestKey: number) =>
      broken({
        environment: { stream, traffic: { small: { eventsPerSecond: 1_200, hottestKey } } },
      });
    expect(check(0.5)).toEqual([]);
    expect(check(0.9)).toEqual(['the expected traffic fits']);
  });

  it('say what gives first, and at which rate', async () => {
    const traffic = { flights: { eventsPerSecond: 5_000 } };
    await expect(synth({ ...DEV, traffic })).rejects.toThrow(
      /got traffic of 5000 events\/s where at 1000 events\/s the busiest of 1 shards.*npx millrace plan/,
    );
    const { compute } = await synth(DEV);
    const [output] = Object.values(compute.findOutputs('FirstLimit'));
    expect(output?.Value).toMatch(/^about 1000 events\/s, where the busiest of 1 shards/);
  });

  it('fail a synth, naming what was got and the fix', async () => {
    const consumer = { ...DEV.consumer, retryAttempts: 3 };
    await expect(synth({ ...DEV, consumer })).rejects.toThrow(
      /the mapping never gives up: got retryAttempts 3.*; set both to -1/,
    );
  });
});
