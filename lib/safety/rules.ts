import { MillraceError } from '../../src/core/errors.ts';
import type { Program } from '../../src/core/program.ts';
import type { EnvironmentConfig } from '../config/environment.ts';

/** A combination of settings that would lose, double or block something. */
export class UnsafeSettingsError extends MillraceError {
  override readonly name = 'UnsafeSettingsError';

  constructor(broken: readonly Broken[]) {
    const lines = broken.map(({ rule, got, fix }) => `${rule}: got ${got}; ${fix}`);
    super('unsafe-settings', `${broken.length} unsafe settings:\n- ${lines.join('\n- ')}`, {
      fields: { rules: broken.map(({ rule }) => rule) },
    });
  }
}

/** A rule that doesn't hold: which, what was got, how to mend it. */
export interface Broken {
  readonly rule: string;
  readonly got: string;
  readonly fix: string;
}

/** What the rules look at. */
export interface Settings {
  readonly program: Pick<Program, 'name' | 'settings' | 'aggregates'>;
  readonly environment: EnvironmentConfig;
  /** The pipeline's latency objective, milliseconds. */
  readonly latencyP99Ms: number;
}

interface Rule {
  readonly rule: string;
  /** What was got, or undefined when all is well. */
  readonly check: (settings: Settings) => string | undefined;
  readonly fix: string;
}

/** Milliseconds that one record may take in the worst case; the mapping's batch must fit the time-out. */
const RECORD_MS_MAX = 10;

/** Largest request that Lambda takes, in MB, and what base64 makes of a record. */
const PAYLOAD_MB_MAX = 6;

const within = (value: number, low: number, high: number) =>
  Number.isInteger(value) && value >= low && value <= high;

/** Each rule with its fix. The ranges of the mapping are those of Lambda's "Parameters for Kinesis". */
export const RULES: readonly Rule[] = [
  {
    rule: 'batch size is 1 to 10,000',
    check: ({ environment: { consumer } }) =>
      within(consumer.batchSize, 1, 10_000) ? undefined : `batchSize ${consumer.batchSize}`,
    fix: 'set consumer.batchSize within Lambda’s range',
  },
  {
    rule: 'batching window is 0 to 300 seconds',
    check: ({ environment: { consumer } }) =>
      within(consumer.batchingWindowSeconds, 0, 300)
        ? undefined
        : `batchingWindowSeconds ${consumer.batchingWindowSeconds}`,
    fix: 'set consumer.batchingWindowSeconds within Lambda’s range',
  },
  {
    rule: 'parallelization factor is 1 to 10',
    check: ({ environment: { consumer } }) =>
      within(consumer.parallelizationFactor, 1, 10)
        ? undefined
        : `parallelizationFactor ${consumer.parallelizationFactor}`,
    fix: 'set consumer.parallelizationFactor within Lambda’s range',
  },
  {
    rule: 'function time-out is 10 to 900 seconds',
    check: ({ environment: { consumer } }) =>
      within(consumer.timeoutSeconds, 10, 900)
        ? undefined
        : `timeoutSeconds ${consumer.timeoutSeconds}`,
    fix: 'set consumer.timeoutSeconds within Lambda’s range; below 10 s there is no time to write',
  },
  {
    rule: 'a whole batch fits the time-out',
    check: ({ environment: { consumer } }) => {
      const needed = Math.ceil((consumer.batchSize * RECORD_MS_MAX * 1.5) / 1000);
      if (needed <= consumer.timeoutSeconds) return undefined;
      return `batchSize ${consumer.batchSize} with timeoutSeconds ${consumer.timeoutSeconds}`;
    },
    fix: `allow ${RECORD_MS_MAX} ms a record and a third for writing: a smaller batch or a longer time-out`,
  },
  {
    rule: 'the latency objective is longer than the batching window',
    check: ({ environment: { consumer }, latencyP99Ms }) =>
      consumer.batchingWindowSeconds * 1000 < latencyP99Ms
        ? undefined
        : `batchingWindowSeconds ${consumer.batchingWindowSeconds} with a latency objective of ${latencyP99Ms} ms`,
    fix: 'collect for less time, or set objectives.latency.p99 to what is really needed',
  },
  {
    rule: 'the mapping never gives up',
    check: ({ environment: { consumer } }) =>
      consumer.retryAttempts === -1 && consumer.maxRecordAgeSeconds === -1
        ? undefined
        : `retryAttempts ${consumer.retryAttempts}, maxRecordAgeSeconds ${consumer.maxRecordAgeSeconds}`,
    fix: 'set both to -1: a batch given up after half of its cells were written can’t be finished in place, and an outage would discard good events; a record that kills the function is found and quarantined anyway',
  },
  {
    rule: 'parallel batches need partitions',
    check: ({ environment: { consumer }, program }) =>
      program.settings.partitions === 'shard' && consumer.parallelizationFactor !== 1
        ? `partitions 'shard' with parallelizationFactor ${consumer.parallelizationFactor}`
        : undefined,
    fix: 'set consumer.parallelizationFactor to 1, or give the pipeline a number of partitions: writers that are shards must not be processed concurrently',
  },
  {
    rule: 'the deduplication horizon is at most the stream’s retention',
    check: ({ program: { settings } }) =>
      settings.horizonMs <= settings.retention.streamMs
        ? undefined
        : `deduplication of ${settings.horizonMs} ms with retention.stream of ${settings.retention.streamMs} ms`,
    fix: 'shorten deduplication or lengthen retention.stream',
  },
  {
    rule: 'results outlive the lateness of their windows',
    check: ({ program }) => {
      const short = program.aggregates.find(
        ({ retentionMs, latenessMs }) => retentionMs < latenessMs,
      );
      return short === undefined
        ? undefined
        : `window ${short.name} kept ${short.retentionMs} ms with lateness of ${short.latenessMs} ms`;
    },
    fix: 'lengthen retention.windows (or the window’s retention) or shorten the lateness',
  },
  {
    rule: 'no more shards than partitions',
    check: ({ environment: { stream }, program: { settings } }) =>
      stream.type === 'provisioned' &&
      settings.partitions !== 'shard' &&
      stream.shards > settings.partitions
        ? `${stream.shards} shards with ${settings.partitions} partitions`
        : undefined,
    fix: 'fewer shards or more partitions: a shard without a partition never gets a record',
  },
  {
    rule: 'a record fits an invocation',
    check: ({ environment: { consumer } }) =>
      consumer.memoryMb >= 256 && PAYLOAD_MB_MAX * 20 < consumer.memoryMb
        ? undefined
        : `memoryMb ${consumer.memoryMb}`,
    fix: 'give the function at least 256 MB: a batch of 6 MB is held in several forms at once',
  },
  {
    rule: 'webhooks are encrypted on their way',
    check: ({ environment: { alarms } }) => alarms.webhooks.find((url) => !isSafeWebhook(url)),
    fix: 'use an https URL in alarms.webhooks; http only for 127.0.0.1, [::1] and localhost',
  },
];

/** HTTPS, or not leaving this machine. */
function isSafeWebhook(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname } = new URL(text);
  const isHere = /^(127(\.\d{1,3}){3}|\[::1\]|localhost)$/.test(hostname);
  return protocol === 'https:' || (protocol === 'http:' && isHere);
}

/** @throws UnsafeSettingsError naming each broken rule, what was got and the fix */
export function checkSettings(settings: Settings): void {
  const broken = RULES.flatMap(({ rule, check, fix }) => {
    const got = check(settings);
    return got === undefined ? [] : [{ rule, got, fix }];
  });
  if (broken.length > 0) throw new UnsafeSettingsError(broken);
}
