import { ASSUMED, MONTH_S } from './assumptions.ts';
import { type CostLine, costLine, short } from './cost-line.ts';
import type { CapacityRange, ScaledTables } from './deployment.ts';
import type { Month } from './month.ts';
import type { Planned } from './planned.ts';
import type { Usage } from './usage.ts';

const MILLION = 1e6;

/** What of a table is used by the second. */
interface TableUse {
  readonly table: keyof ScaledTables;
  readonly what: string;
  readonly writes: (usage: Usage) => number;
  readonly reads: (usage: Usage) => number;
}

/** Lines of the tables' units, or of their capacity, and of what the quarantine takes. */
export function tableCost(planned: Planned, month: Month): readonly CostLine[] {
  const { tables = {} } = planned.deployment;
  const uses = usesOf(month);
  const onDemand = uses.filter(({ table }) => tables[table] === undefined);
  return [
    ...onDemand.flatMap((use) => unitLines(use, month)),
    ...Object.entries(tables).flatMap(([table, { write, read }]) => {
      const own = uses.filter((use) => use.table === table);
      return [
        capacityLine(table, { own, range: write, kind: 'writes' }, month),
        capacityLine(table, { own, range: read, kind: 'reads' }, month),
      ];
    }),
    ...quarantineLines(month),
  ];
}

function usesOf(month: Month): readonly TableUse[] {
  const windows = [...month.peak.windows.keys()].map(
    (name): TableUse => ({
      table: 'aggregates',
      what: `window ${name}`,
      writes: ({ windows: all }) => all.get(name)?.writeUnits ?? 0,
      reads: ({ windows: all }) => all.get(name)?.readUnits ?? 0,
    }),
  );
  return [
    {
      table: 'ledger',
      what: 'ledger',
      writes: ({ ledger }) => ledger.writeUnits,
      reads: ({ ledger }) => ledger.readUnits,
    },
    ...windows,
    {
      table: 'events',
      what: 'kept events',
      writes: ({ events }) => events.writeUnits,
      reads: () => 0,
    },
  ];
}

function unitLines({ what, writes, reads }: TableUse, month: Month): readonly CostLine[] {
  const events = month.total(({ rate }) => rate);
  const an = (units: number) => `${short(events)} events x ${short(units / events)} units`;
  const [written, read] = [month.total(writes), month.total(reads)];
  return [
    costLine(['DynamoDB', `${what}, writes`], an(written), [
      written / MILLION,
      'writeUnitsMillion',
    ]),
    costLine(['DynamoDB', `${what}, reads`], an(read), [read / MILLION, 'readUnitsMillion']),
  ];
}

/** As if capacity followed the use at once; it never falls below its least. */
function capacityLine(
  table: string,
  {
    own,
    range,
    kind,
  }: {
    readonly own: readonly TableUse[];
    readonly range: CapacityRange;
    readonly kind: 'writes' | 'reads';
  },
  month: Month,
): CostLine {
  const capacityOf = (usage: Usage) => {
    const units = own.reduce((sum, use) => sum + use[kind](usage), 0);
    return Math.min(range.most, Math.max(range.least, units / ASSUMED.utilisation));
  };
  const active = month.levels.reduce((sum, { seconds }) => sum + seconds, 0);
  const unitSeconds = month.total(capacityOf) + (MONTH_S - active) * range.least;
  const price = kind === 'writes' ? 'writeCapacityHour' : 'readCapacityHour';
  return costLine(
    ['DynamoDB', `table ${table}, capacity for ${kind}`],
    `${short(unitSeconds / MONTH_S)} units on average, used to ${ASSUMED.utilisation * 100} %`,
    [unitSeconds / 3_600, price],
  );
}

function quarantineLines(month: Month): readonly CostLine[] {
  const units = month.total((usage) => usage.quarantineUnits);
  const puts = month.total((usage) => usage.quarantinePuts);
  return [
    costLine(['DynamoDB', 'quarantine index'], 'a unit for each refused event', [
      units / MILLION,
      'writeUnitsMillion',
    ]),
    costLine(['S3', 'quarantine, objects'], 'one a batch with refused events', [
      puts / MILLION,
      'bucketPutsMillion',
    ]),
  ];
}
