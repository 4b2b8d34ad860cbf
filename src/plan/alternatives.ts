import { ASSUMED, GB, QUOTAS } from './assumptions.ts';
import { streamCost } from './cost.ts';
import { type CostLine, short, totalOf } from './cost-line.ts';
import type { Month } from './month.ts';
import { archiveOf, type Planned } from './planned.ts';
import { PRICES } from './prices.ts';

/** What another way costs. */
export interface Alternative {
  readonly name: string;
  readonly formula: string;
  /** Dollars a month more, or less, than the plan. */
  readonly more: number;
  /** What one gets, or loses. */
  readonly but: string;
}

const MILLION = 1e6;

/** Other ways to do the same, each against the plan's own lines. */
export function alternativesOf(
  planned: Planned,
  month: Month,
  lines: readonly CostLine[],
): readonly Alternative[] {
  return [
    ...cellAlternative(month),
    idempotencyAlternative(month),
    ...eventAlternative(planned, month),
    streamAlternative(planned, month),
    ...(planned.deployment.tables === undefined ? [capacityAlternative(month)] : []),
    ...firehoseAlternative(planned, month, lines),
    flinkAlternative(month, lines),
    brokerAlternative(planned, month, lines),
  ];
}

function writes(units: number): number {
  return (units / MILLION) * PRICES.writeUnitsMillion;
}

function cellAlternative(month: Month): readonly Alternative[] {
  const sum = (of: 'cellUnits' | 'writeUnits') =>
    month.total(({ windows }) => [...windows.values()].reduce((all, use) => all + use[of], 0));
  const [cells, pages] = [sum('cellUnits'), sum('writeUnits')];
  return [
    {
      name: 'cells unpacked: an item for each group of a window',
      formula: `${short(cells)} write units instead of ${short(pages)}`,
      more: writes(cells - pages),
      but: 'any reader understands the table',
    },
  ];
}

function idempotencyAlternative(month: Month): Alternative {
  const events = month.total(({ rate }) => rate);
  const ledger = month.total(({ ledger: { writeUnits } }) => writeUnits);
  return {
    name: 'an idempotency record per event instead of the ledger',
    formula: `${short(events)} write units instead of ${short(ledger)}; two an event where it is written before and after`,
    more: writes(events - ledger),
    but: 'a crash between record and result still counts twice, or not at all',
  };
}

function eventAlternative({ program }: Planned, month: Month): readonly Alternative[] {
  const { retention, events: layout } = program.settings;
  if (retention.eventsMs === null || layout.layout === 'packed') return [];
  const units = month.total(({ events }) => events.writeUnits);
  const packed = month.total(({ rate }) => rate) * PACKED_UNITS;
  return [
    {
      name: "kept events packed (events: { layout: 'packed', index: true })",
      formula: `about ${PACKED_UNITS} write units an event (bench/RESULTS.md) instead of ${short(units)}`,
      more: writes(packed - units),
      but: 'one event by its id alone reads the ids of all',
    },
  ];
}

/** Of flights, with index: bench/RESULTS.md. */
const PACKED_UNITS = 0.055;

function streamAlternative(planned: Planned, month: Month): Alternative {
  const { deployment } = planned;
  const isOnDemand = deployment.stream.type === 'on-demand';
  const shards = shardsNeeded(planned);
  const stream = isOnDemand
    ? ({ type: 'provisioned', shards } as const)
    : ({ type: 'on-demand' } as const);
  const other = { ...planned, deployment: { ...deployment, stream } };
  const levels = month.levels.map(({ usage, seconds }) => ({
    usage: { ...usage, shards },
    seconds,
  }));
  const otherMonth = isOnDemand ? { ...month, levels, peak: { ...month.peak, shards } } : month;
  return {
    name: isOnDemand ? `${shards} provisioned shards` : 'a stream on demand',
    formula: isOnDemand
      ? `full to ${ASSUMED.utilisation * 100} % at the peak`
      : 'by the GB, each record a KB at least',
    more: totalOf(streamCost(other, otherMonth)) - totalOf(streamCost(planned, month)),
    but: isOnDemand
      ? 'who grows must add shards'
      : 'scales by itself, to twice the highest peak of 30 days',
  };
}

/** Provisioned shards that keep the busiest one within its share at the peak. */
export function shardsNeeded({ sample, peak, deployment, program }: Planned): number {
  const readers = archiveOf({ deployment, program } as Planned) === false ? 1 : 2;
  const bytes = peak * sample.eventBytes;
  const full = Math.max(
    peak / QUOTAS.shardRecords,
    bytes / QUOTAS.shardBytesIn,
    (readers * bytes) / QUOTAS.shardBytesOut,
  );
  return Math.max(1, Math.ceil(full / ASSUMED.utilisation));
}

/** Capacity for the peak, filled to the share that auto-scaling aims at. */
function capacityAlternative(month: Month): Alternative {
  const writesOf = (use: Month['peak']) =>
    use.events.writeUnits +
    use.ledger.writeUnits +
    [...use.windows.values()].reduce((sum, { writeUnits }) => sum + writeUnits, 0);
  const readsOf = (use: Month['peak']) =>
    use.ledger.readUnits +
    [...use.windows.values()].reduce((sum, { readUnits }) => sum + readUnits, 0);
  const hours = (of: (use: Month['peak']) => number) =>
    month.total(of) / 3_600 / ASSUMED.utilisation;
  const provisioned =
    hours(writesOf) * PRICES.writeCapacityHour + hours(readsOf) * PRICES.readCapacityHour;
  const onDemand =
    (month.total(writesOf) * PRICES.writeUnitsMillion +
      month.total(readsOf) * PRICES.readUnitsMillion) /
    MILLION;
  return {
    name: 'tables with provisioned capacity and auto-scaling (tables: …)',
    formula: `capacity follows the use at ${ASSUMED.utilisation * 100} %, as if it did so at once`,
    more: provisioned - onDemand,
    but: 'scaling takes minutes: bursts are throttled, and wait',
  };
}

function linesOf(lines: readonly CostLine[], service: string): number {
  return totalOf(lines.filter((line) => line.service === service));
}

function firehoseAlternative(
  planned: Planned,
  month: Month,
  lines: readonly CostLine[],
): readonly Alternative[] {
  if (archiveOf(planned) === false) return [];
  const events = month.total(({ rate }) => rate);
  const bytes = Math.ceil(planned.sample.eventBytes / 5_120) * 5_120;
  const written = ['calls', 'memory', 'objects', 'tails'];
  const own = totalOf(
    lines.filter(({ service, what }) => service === 'Archive' && written.includes(what)),
  );
  return [
    {
      name: 'Firehose for the archive',
      formula: `${short(events)} records x ${short(bytes)} bytes (by the started 5 KB)`,
      more: ((events * bytes) / GB) * PRICES.firehoseGb - own,
      but: 'no positions: a replay in order, and gaps that are seen, are gone',
    },
  ];
}

/** Units by the highest rate, one more for the job, 50 GB of state each. */
function flinkAlternative(month: Month, lines: readonly CostLine[]): Alternative {
  const units = Math.ceil(month.peak.rate / ASSUMED.flinkUnitEvents) + 1;
  const flink = units * (PRICES.flinkUnitHour * PRICES.hoursMonth + 50 * PRICES.flinkGbMonth);
  const own = totalOf(
    lines.filter(
      ({ service, what }) =>
        service === 'Lambda' || what.startsWith('ledger') || what.startsWith('window'),
    ),
  );
  return {
    name: 'Managed Flink instead of functions, ledger and windows',
    formula: `${units} units x ${PRICES.hoursMonth} h at ${short(ASSUMED.flinkUnitEvents)} events a second each (a guess), and their state`,
    more: flink - own,
    but: 'a job in Java or SQL; results still need a table to be read from',
  };
}

/** Three brokers in three zones; their network and storage for a day of three copies. */
function brokerAlternative(
  planned: Planned,
  month: Month,
  lines: readonly CostLine[],
): Alternative {
  const gbDay = (month.mean(({ bytes }) => bytes) * 86_400 * 3) / GB;
  const brokers = 3 * PRICES.brokerHour * PRICES.hoursMonth + gbDay * PRICES.brokerGbMonth;
  return {
    name: 'MSK instead of Kinesis',
    formula: `3 kafka.m7g.large x ${PRICES.hoursMonth} h, ${short(gbDay)} GB of a day`,
    more: brokers - linesOf(lines, 'Kinesis'),
    but: `a cluster in a VPC to run${planned.program.settings.partitions === 'shard' ? '' : '; partitions can grow'}`,
  };
}
