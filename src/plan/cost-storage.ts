import { GB } from './assumptions.ts';
import { type CostLine, costLine, short } from './cost-line.ts';
import type { Month } from './month.ts';
import type { Planned } from './planned.ts';

/** What the tables hold, once as much expires as comes; TTL deletes some days late, which isn't in it. */
export function storageCost({ program, deployment }: Planned, month: Month): readonly CostLine[] {
  const { retention } = program.settings;
  const windows = program.aggregates.map(({ name, retentionMs }) => {
    const bytes = month.mean((usage) => usage.windows.get(name)?.storedBytes ?? 0);
    return (bytes * retentionMs) / 1000;
  });
  const parts = {
    results: windows.reduce((sum, bytes) => sum + bytes, 0),
    ledger: month.mean(({ ledger }) => ledger.storedBytes) * month.peak.ledger.lifeS,
    'kept events':
      (month.mean(({ events }) => events.storedBytes) * (retention.eventsMs ?? 0)) / 1000,
  };
  const all = Object.values(parts).reduce((sum, bytes) => sum + bytes, 0);
  const recovery = deployment.protectData ? all / GB : 0;
  return [
    ...Object.entries(parts).map(([name, bytes]) =>
      costLine(['DynamoDB', `${name}, stored`], `${short(bytes / GB)} GB`, [
        bytes / GB,
        'tableGbMonth',
      ]),
    ),
    costLine(['DynamoDB', 'recovery'], `${short(recovery)} GB`, [recovery, 'recoveryGbMonth']),
  ];
}
