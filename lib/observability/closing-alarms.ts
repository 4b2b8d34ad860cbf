import { ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import type { AlarmDefinition } from './alarms.ts';

/** Alarms of a pipeline that closes windows. */
export const CLOSING_ALARMS: readonly AlarmDefinition[] = [
  {
    id: 'CloserErrors',
    says: 'the function that closes windows fails',
    impact: 'Windows are published late. Nothing is lost: the next run goes on where this one was.',
    layer: 'operations',
    watches: 'closerErrors',
    threshold: 2,
    comparison: ComparisonOperator.GREATER_THAN_THRESHOLD,
    datapoints: 1,
    periods: 1,
    missing: TreatMissingData.NOT_BREACHING,
  },
  {
    id: 'NothingCloses',
    says: 'events are counted, and no run of the closer came to its end for half an hour',
    impact: 'Windows are not published. Results are right, and who waits to be told waits.',
    layer: 'operations',
    watches: 'closerStill',
    threshold: 0,
    comparison: ComparisonOperator.GREATER_THAN_THRESHOLD,
    datapoints: 2,
    periods: 2,
    missing: TreatMissingData.NOT_BREACHING,
  },
  {
    id: 'ClosedUndelivered',
    says: 'closed windows were published and reached no rule: the key of the bus was not usable',
    impact: 'Who listens was not told of them. They are kept in the queue for 14 days.',
    layer: 'operations',
    watches: 'undelivered',
    threshold: 0,
    comparison: ComparisonOperator.GREATER_THAN_THRESHOLD,
    datapoints: 1,
    periods: 1,
    missing: TreatMissingData.NOT_BREACHING,
  },
];
