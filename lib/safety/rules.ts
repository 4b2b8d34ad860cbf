import { durationMs } from '../../src/core/duration.ts';
import { MillraceError } from '../../src/core/errors.ts';
import type { Program } from '../../src/core/program.ts';
import type { EnvironmentConfig } from '../config/environment.ts';
import { ARCHIVE_RULES } from './archive-rules.ts';
import { CLOSING_RULES } from './closing-rules.ts';
import { GIVE_UP_RULES } from './give-up-rules.ts';
import { within } from './ranges.ts';
import { TRAFFIC_RULES } from './traffic-rules.ts';

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
  readonly program: Pick<Program, 'name' | 'settings' | 'aggregates' | 'outputs'>;
  readonly environment: EnvironmentConfig;
  /** The pipeline's latency objective, milliseconds. */
  readonly latencyP99Ms: number;
}

/** One rule. */
export interface Rule {
  readonly rule: string;
  /** What was got, or undefined when all is well. */
  readonly check: (settings: Settings) => string | undefined;
  readonly fix: string;
}

/** Milliseconds that one record may take in the worst case; the mapping's batch must fit the time-out. */
const RECORD_MS_MAX = 10;

/** Tries of a batch after which the alarm on age may go off: one that times out and one that finishes. */
const TRIES_BEFORE_ALARM = 2;

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

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
      (consumer.retryAttempts === -1 && consumer.maxRecordAgeSeconds === -1) ||
      consumer.giveUp !== undefined
        ? undefined
        : `retryAttempts ${consumer.retryAttempts}, maxRecordAgeSeconds ${consumer.maxRecordAgeSeconds}`,
    fix: 'set both to -1: a batch given up after half of its cells were written can’t be finished in place, and an outage would discard good events; a record that kills the function is found and quarantined anyway',
  },
  ...GIVE_UP_RULES,
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
    rule: 'function memory is 256 to 10,240 MB',
    check: ({ environment: { consumer } }) =>
      within(consumer.memoryMb, 256, 10_240) ? undefined : `memoryMb ${consumer.memoryMb}`,
    fix: 'set consumer.memoryMb within Lambda’s range, and to 256 at least: a batch of 6 MB is held in several forms at once',
  },
  {
    rule: 'the alarm on age allows the batching window and two tries',
    check: ({ environment: { consumer, alarms } }) => {
      const neededMs =
        (consumer.batchingWindowSeconds + TRIES_BEFORE_ALARM * consumer.timeoutSeconds) * 1000;
      if (durationMs('alarms.iteratorAge', alarms.iteratorAge) >= neededMs) return undefined;
      return `alarms.iteratorAge '${alarms.iteratorAge}' with batchingWindowSeconds ${consumer.batchingWindowSeconds} and timeoutSeconds ${consumer.timeoutSeconds}`;
    },
    fix: 'lengthen alarms.iteratorAge, or shorten the time-out or the window: else one try that times out, which repairs itself, wakes somebody',
  },
  {
    rule: 'silence is told in whole minutes, up to a day',
    check: ({ environment: { alarms } }) => {
      if (alarms.noEvents === null) return undefined;
      const ms = durationMs('alarms.noEvents', alarms.noEvents);
      return ms % MINUTE_MS === 0 && ms >= MINUTE_MS && ms <= DAY_MS
        ? undefined
        : `alarms.noEvents '${alarms.noEvents}'`;
    },
    fix: 'set alarms.noEvents to what a CloudWatch period can be, or to null where silence is normal',
  },
  {
    rule: 'a stream has one shard or more',
    check: ({ environment: { stream } }) =>
      stream.type === 'on-demand' || within(stream.shards, 1, 10_000)
        ? undefined
        : `shards ${stream.shards}`,
    fix: 'set stream.shards to a whole number from 1 on, or the stream to on-demand',
  },
  {
    rule: 'a stream is scaled by doubling, to no more shards than partitions',
    check: ({ environment: { stream }, program: { settings } }) => {
      if (stream.type !== 'provisioned' || stream.scaleTo === undefined) return undefined;
      const { shards, scaleTo } = stream;
      const most = settings.partitions === 'shard' ? Number.POSITIVE_INFINITY : settings.partitions;
      const isDoubled = scaleTo > shards && Number.isInteger(Math.log2(scaleTo / shards));
      return isDoubled && scaleTo <= most
        ? undefined
        : `scaleTo ${scaleTo} with shards ${shards} and partitions ${settings.partitions}`;
    },
    fix: 'set stream.scaleTo to twice, four or eight times stream.shards and so on, at most the pipeline’s partitions; or leave it out',
  },
  {
    rule: 'an environment’s name can be part of a stack’s',
    check: ({ environment: { name } }) =>
      /^[a-z][a-z0-9]{0,19}$/.test(name) ? undefined : `name '${name}'`,
    fix: 'use lower-case letters and digits, a letter first, 20 at most',
  },
  {
    rule: 'webhooks are encrypted on their way',
    check: ({ environment: { alarms } }) => alarms.webhooks.find((url) => !isSafeWebhook(url)),
    fix: 'use an https URL in alarms.webhooks; http only for 127.0.0.1, [::1] and localhost',
  },
  ...ARCHIVE_RULES,
  ...CLOSING_RULES,
  ...TRAFFIC_RULES,
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
