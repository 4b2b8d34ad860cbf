import { holds } from '../plan/plan.ts';
import { PRICE_LIST, PRICES } from '../plan/prices.ts';
import type { ShownPlan } from './plan-text.ts';

/** The plan as one object; its fields stay what they are. */
export function planObject({
  plan,
  present,
  settings,
  traffic,
  flags,
  isMeasured,
}: ShownPlan): object {
  const { planned, month, lines, total, limits, alternatives } = plan;
  const { peak } = month;
  return {
    pipeline: planned.program.name,
    environment: flags.env,
    region: 'us-east-1',
    pricesOf: PRICES.date,
    traffic: {
      rate: traffic.rate,
      peak: planned.peak,
      profile: flags.profile,
      days: traffic.days,
      recordBytes: planned.sample.eventBytes,
      keys: planned.sample.keys.size,
      measured: isMeasured,
    },
    total,
    perMillionEvents: (total / month.total(({ rate }) => rate)) * 1e6,
    lines: lines.map((line) => ({
      ...line,
      ...PRICE_LIST[line.price],
      price: line.price,
      usd: line.usd,
      unitUsd: PRICE_LIST[line.price].usd,
    })),
    capacity: {
      shards: peak.shards,
      partitions: planned.program.settings.partitions,
      lanes: peak.lanes,
      containers: peak.containers,
      batchEvents: peak.batchEvents,
      batchEverySeconds: peak.busiest.everyS,
      batchSeconds: peak.busiest.takesS,
    },
    fits: holds(plan),
    limits: limits.filter(({ rate }) => Number.isFinite(rate)),
    alternatives,
    settings: {
      partitions: settings.partitions,
      stream: settings.deployment.stream,
      consumer: settings.deployment.consumer,
      archive: settings.deployment.archive,
    },
    changes: settings.changes,
    /** The limits of the settings as they are. */
    presentLimits: present.limits.filter(({ rate }) => Number.isFinite(rate)),
  };
}
