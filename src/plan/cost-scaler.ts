import { MONTH_S } from './assumptions.ts';
import { type CostLine, costLine, short } from './cost-line.ts';
import type { Deployment } from './deployment.ts';

const RUNS = MONTH_S / 60;

/** A run asks for three metrics: src/adapters/aws/shard-scaler.ts. Its time is a guess. */
const METRICS = 3;
const RUN_S = 0.2;
const MEMORY_GB = 0.5;

/** What scaling a stream costs besides its shards. */
export function scalerCost({ stream }: Pick<Deployment, 'stream'>): readonly CostLine[] {
  if (stream.type !== 'provisioned' || stream.scaleTo === undefined) return [];
  return [
    costLine(['Scaler', 'calls'], 'one a minute', [RUNS / 1e6, 'lambdaRequestsMillion']),
    costLine(['Scaler', 'memory'], `the same x ${RUN_S} s x ${MEMORY_GB} GB`, [
      RUNS * RUN_S * MEMORY_GB,
      'lambdaGbSecond',
    ]),
    costLine(['Scaler', 'metrics read'], `${short(RUNS)} runs x ${METRICS}`, [
      (RUNS * METRICS) / 1_000,
      'metricReadsThousand',
    ]),
    costLine(['Scaler', 'reads of its note'], `${short(RUNS)} runs`, [
      RUNS / 1e6,
      'readUnitsMillion',
    ]),
  ];
}
