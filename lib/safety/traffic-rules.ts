import type { CapacityRange } from '../../src/plan/deployment.ts';
import { batchTakesS, type ExpectedTraffic, firstLimit } from '../../src/plan/first-limit.ts';
import { within } from './ranges.ts';
import type { Rule, Settings } from './rules.ts';

/** Records larger than this are refused by the stream: lib/ingestion/event-stream.ts. */
const RECORD_BYTES_MAX = 1_048_576;

/** A rule that holds where no traffic is expected of the pipeline. */
function rule(
  name: string,
  check: (traffic: ExpectedTraffic, settings: Settings) => string | undefined,
  fix: string,
): Rule {
  return {
    rule: name,
    check: (settings) => {
      const traffic = settings.environment.traffic?.[settings.program.name];
      return traffic === undefined ? undefined : check(traffic, settings);
    },
    fix,
  };
}

/** Of a table, by the account's default quota. */
const CAPACITY_MAX = 40_000;

function isRange({ least, most }: CapacityRange): boolean {
  return within(least, 1, CAPACITY_MAX) && within(most, least, CAPACITY_MAX);
}

/** What must hold of the traffic that an environment expects, and of tables that are not on demand. */
export const TRAFFIC_RULES: readonly Rule[] = [
  {
    rule: 'capacity of a table is 1 to 40,000 units, the least first',
    check: ({ environment: { tables = {} } }) => {
      const wrong = Object.entries(tables).find(
        ([, { write, read }]) => !isRange(write) || !isRange(read),
      );
      return wrong === undefined ? undefined : `tables.${wrong[0]} ${JSON.stringify(wrong[1])}`;
    },
    fix: 'set least and most of tables.*.write and tables.*.read to whole numbers within DynamoDB’s range',
  },
  rule(
    'expected traffic is a rate, a size and a share',
    ({ eventsPerSecond, recordBytes = 1, hottestKey = 1 }) => {
      const isRate = eventsPerSecond > 0 && eventsPerSecond <= 10_000_000;
      const isSize = recordBytes >= 1 && recordBytes <= RECORD_BYTES_MAX;
      const isShare = hottestKey > 0 && hottestKey <= 1;
      if (isRate && isSize && isShare) return undefined;
      return `eventsPerSecond ${eventsPerSecond}, recordBytes ${recordBytes}, hottestKey ${hottestKey}`;
    },
    'set traffic.eventsPerSecond above 0, recordBytes from 1 to 1,048,576, hottestKey above 0 up to 1',
  ),
  rule(
    'the expected traffic fits',
    (traffic, { program, environment }) => {
      const limit = firstLimit({ program, deployment: environment }, traffic);
      if (!(limit.rate < traffic.eventsPerSecond)) return undefined;
      return `traffic of ${traffic.eventsPerSecond} events/s where at ${Math.floor(limit.rate)} events/s ${limit.what}`;
    },
    '`npx millrace plan` says which settings carry it: more shards or partitions, more parallel batches, more memory',
  ),
  rule(
    'results are in time where batches are full',
    (_, { program, environment, latencyP99Ms }) => {
      const { batchingWindowSeconds } = environment.consumer;
      // A record may come just after a batch was cut, and waits for that one and its own.
      const takesMs = 2_000 * batchTakesS({ program, deployment: environment });
      const ms = batchingWindowSeconds * 1000 + takesMs;
      if (ms < latencyP99Ms) return undefined;
      return `batchingWindowSeconds ${batchingWindowSeconds} and about ${Math.ceil(takesMs)} ms for two batches of ${environment.consumer.batchSize} with a latency objective of ${latencyP99Ms} ms`;
    },
    'a smaller consumer.batchSize, more memory up to 1,769 MB, less collecting, or an objective that allows it',
  ),
];
