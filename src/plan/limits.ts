import { QUOTAS } from './assumptions.ts';
import { short } from './cost-line.ts';
import type { ScaledTables } from './deployment.ts';
import { shardsMost } from './lanes.ts';
import type { Planned } from './planned.ts';
import { type Limit, settingLimits } from './setting-limits.ts';
import type { Usage } from './usage.ts';

/** Every limit with the rate at which it is hit, the lowest first; use from the highest rate planned. */
export function limitsOf(planned: Planned, usage: Usage): readonly Limit[] {
  const cells = [...usage.windows.values()].reduce((sum, { liveCells }) => sum + liveCells, 0);
  return [
    ...settingLimits(planned, { shards: shardsMost(planned.deployment) ?? usage.shards, cells }),
    ...tableLimits(usage),
    ...capacityLimits(planned.deployment.tables ?? {}, usage),
    {
      what: `${short(QUOTAS.concurrency)} executions at the same time, of the whole account`,
      rate: (usage.rate * QUOTAS.concurrency) / usage.callSeconds,
      fix: 'ask for a higher quota',
      soft: true,
    },
  ].sort((left, right) => left.rate - right.rate);
}

function tableLimits(usage: Usage): readonly Limit[] {
  const at = (units: number, most: number) =>
    units === 0 ? Number.POSITIVE_INFINITY : (usage.rate * most) / units;
  const tables = Math.max(
    usage.events.writeUnits,
    [...usage.windows.values()].reduce((sum, { writeUnits }) => sum + writeUnits, 0),
  );
  const hottest = [...usage.windows].map(
    ([name, { hottestUnits }]): Limit => ({
      what: `window ${name}: a partition key of the table takes 1,000 write units a second`,
      rate: at(hottestUnits, QUOTAS.partitionWrites),
      fix: 'more partitions, a larger `groups` in a new window, fewer or smaller columns',
      soft: false,
    }),
  );
  return [
    ...hottest,
    {
      what: 'ledger: a partition key of the table takes 1,000 write units a second',
      rate: at(usage.ledger.hottestUnits, QUOTAS.partitionWrites),
      fix: 'more partitions',
      soft: false,
    },
    {
      what: `a new table takes ${short(QUOTAS.newTableWrites)} write units a second at once`,
      rate: at(tables, QUOTAS.newTableWrites),
      fix: 'grow by less than twice in 30 minutes, or warm the table up',
      soft: true,
    },
    {
      what: `a table takes ${short(QUOTAS.tableWrites)} write units a second by the account’s quota`,
      rate: at(tables, QUOTAS.tableWrites),
      fix: 'ask for a higher quota',
      soft: true,
    },
  ];
}

/** Of tables that are not on demand. */
function capacityLimits(tables: ScaledTables, usage: Usage): readonly Limit[] {
  const windows = [...usage.windows.values()];
  const used = {
    aggregates: {
      write: windows.reduce((sum, { writeUnits }) => sum + writeUnits, 0),
      read: windows.reduce((sum, { readUnits }) => sum + readUnits, 0),
    },
    ledger: { write: usage.ledger.writeUnits, read: usage.ledger.readUnits },
    events: { write: usage.events.writeUnits, read: 0 },
  };
  return Object.entries(tables).flatMap(([name, capacity]) =>
    (['write', 'read'] as const).map((kind): Limit => {
      const { most } = capacity[kind];
      return {
        what: `table ${name} grows to ${short(most)} ${kind} units a second`,
        rate:
          (usage.rate * most) / Math.max(Number.MIN_VALUE, used[name as keyof ScaledTables][kind]),
        fix: `a higher tables.${name}.${kind}.most`,
        soft: false,
      };
    }),
  );
}
