import { type Duration, durationMs } from '../../src/core/duration.ts';
import type { ArchiveConfig } from '../config/environment.ts';
import { within } from './ranges.ts';
import type { Rule, Settings } from './rules.ts';

const DAY_MS = 86_400_000;

/** S3: objects stay so long in Standard before Infrequent Access, and there before Glacier. */
const CLASS_DAYS_MIN = 30;

/** Milliseconds that one record may take in the worst case, with S3 slow. */
const RECORD_MS_MAX = 3;

/** A rule that holds where there is no archive. */
function rule(
  name: string,
  check: (config: ArchiveConfig, settings: Settings) => string | undefined,
  fix: string,
): Rule {
  return {
    rule: name,
    check: (settings) => {
      const { archive } = settings.environment;
      const isLeftOut = archive === false || settings.program.settings.retention.archiveMs === null;
      return isLeftOut ? undefined : check(archive, settings);
    },
    fix,
  };
}

/** The rules of the archive, each with its fix. */
export const ARCHIVE_RULES: readonly Rule[] = [
  rule(
    'archive: batch size is 1 to 10,000',
    ({ batchSize }) => (within(batchSize, 1, 10_000) ? undefined : `batchSize ${batchSize}`),
    'set archive.batchSize within Lambda’s range',
  ),
  rule(
    'archive: batching window is 0 to 300 seconds',
    ({ batchingWindowSeconds }) =>
      within(batchingWindowSeconds, 0, 300)
        ? undefined
        : `batchingWindowSeconds ${batchingWindowSeconds}`,
    'set archive.batchingWindowSeconds within Lambda’s range',
  ),
  rule(
    'archive: a whole batch fits the time-out, of 10 to 900 seconds',
    ({ timeoutSeconds, batchSize }) => {
      const needed = Math.max(10, Math.ceil((batchSize * RECORD_MS_MAX) / 1000));
      if (within(timeoutSeconds, needed, 900)) return undefined;
      return `timeoutSeconds ${timeoutSeconds} with batchSize ${batchSize}`;
    },
    `allow ${RECORD_MS_MAX} ms a record within Lambda’s range: a smaller archive.batchSize or a longer archive.timeoutSeconds`,
  ),
  rule(
    'archive: a batch fits the memory',
    ({ memoryMb }) => (within(memoryMb, 256, 10_240) ? undefined : `memoryMb ${memoryMb}`),
    'give archive.memoryMb at least 256 MB: a batch of 6 MB is held in several forms at once',
  ),
  rule(
    'archive: the alarm waits longer than the batching window',
    ({ batchingWindowSeconds }, { environment: { alarms } }) =>
      durationMs('alarms.archiveAge', alarms.archiveAge) >= 2_000 * batchingWindowSeconds
        ? undefined
        : `alarms.archiveAge of ${alarms.archiveAge} with batchingWindowSeconds ${batchingWindowSeconds}`,
    'twice archive.batchingWindowSeconds at least for alarms.archiveAge',
  ),
  rule(
    'archive: the alarm comes while the stream can still help',
    (_, { environment: { alarms }, program: { settings } }) =>
      durationMs('alarms.archiveAge', alarms.archiveAge) <= settings.retention.streamMs / 4
        ? undefined
        : `alarms.archiveAge of ${alarms.archiveAge} with retention.stream of ${settings.retention.streamMs} ms`,
    'a shorter alarms.archiveAge (a quarter of retention.stream at most), or a longer retention.stream',
  ),
  rule(
    'archive: storage classes come one after the other, then the deletion',
    ({ infrequentAccess, glacier }, { program: { settings } }) => {
      const days = [infrequentAccess, glacier].map(daysOf);
      const deleted = (settings.retention.archiveMs ?? 0) / DAY_MS;
      return classesFit(days, deleted)
        ? undefined
        : `infrequentAccess ${infrequentAccess}, glacier ${glacier}, retention.archive ${deleted} days`;
    },
    `whole days: archive.infrequentAccess at ${CLASS_DAYS_MIN} days at the earliest, archive.glacier ${CLASS_DAYS_MIN} days later, retention.archive after both; null leaves a class out`,
  ),
];

function daysOf(age: Duration | null): number | undefined {
  return age === null ? undefined : durationMs('archive', age) / DAY_MS;
}

function classesFit([infrequent, glacier]: readonly (number | undefined)[], deleted: number) {
  const all = [infrequent, glacier].filter((days) => days !== undefined);
  const areDays = all.every((days) => Number.isInteger(days) && days < deleted);
  const isLater =
    infrequent === undefined || glacier === undefined || glacier >= infrequent + CLASS_DAYS_MIN;
  return areDays && isLater && (infrequent ?? CLASS_DAYS_MIN) >= CLASS_DAYS_MIN;
}
