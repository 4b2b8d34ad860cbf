import { within } from './ranges.ts';
import type { Rule } from './rules.ts';

/** Lambda's longest age of a record, seconds. */
const AGE_SECONDS_MAX = 604_800;

/** The rules of who lets the mapping give up all the same, each with its fix. */
export const GIVE_UP_RULES: readonly Rule[] = [
  {
    rule: 'giving up: there is an archive to rebuild from',
    check: ({ environment: { consumer, archive }, program: { settings } }) =>
      consumer.giveUp === undefined || (archive !== false && settings.retention.archiveMs !== null)
        ? undefined
        : 'consumer.giveUp without an archive',
    fix: 'set retention.archive of the pipeline and archive of the environment, or leave consumer.giveUp out',
  },
  {
    rule: 'giving up: the generation that stands by is 2 to 9,999',
    check: ({ environment: { consumer } }) => {
      const standby = consumer.giveUp?.standby ?? 2;
      return within(standby, 2, 9_999) ? undefined : `consumer.giveUp.standby ${standby}`;
    },
    fix: 'choose a number that no generation has yet',
  },
  {
    rule: 'giving up: limits are within Lambda’s ranges',
    check: ({ environment: { consumer } }) => {
      const { retryAttempts: attempts, maxRecordAgeSeconds: age } = consumer;
      const fits = attempts === -1 || within(attempts, 0, 10_000);
      return fits && (age === -1 || within(age, 60, AGE_SECONDS_MAX))
        ? undefined
        : `retryAttempts ${attempts}, maxRecordAgeSeconds ${age}`;
    },
    fix: 'retryAttempts 0 to 10,000, maxRecordAgeSeconds 60 to 604,800; -1 is without limit',
  },
];
