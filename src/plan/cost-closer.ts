import { ASSUMED, MONTH_S } from './assumptions.ts';
import { type CostLine, costLine, short } from './cost-line.ts';
import type { Month } from './month.ts';
import type { Planned } from './planned.ts';

const MILLION = 1e6;
const READ_UNIT = 4_096;
const RUNS = MONTH_S / 60;

/** Memory of the closer, GB: lib/processing/closer.ts. */
const MEMORY_GB = 1;

/**
 * Each run reads every ledger's end, and of each closing window the block of pages that is being closed;
 * each row of a closed window is one event on the bus. A row of 300 bytes is taken for its revision.
 */
export function closerCost({ program }: Planned, month: Month): readonly CostLine[] {
  const closing = program.aggregates.filter(({ closes }) => closes);
  if (closing.length === 0) return [];
  const { peak } = month;
  const writers =
    program.settings.partitions === 'shard' ? peak.shards : program.settings.partitions;
  const pages = closing.reduce((sum, { name, layout }) => {
    const blockS = (layout.gridMs * layout.windows) / 1000;
    const bytes = month.mean((usage) => usage.windows.get(name)?.storedBytes ?? 0) * blockS;
    const packs = writers * layout.buckets;
    // A block is half full on average; each pack is asked for its first block, too.
    return sum + packs + Math.max(packs, bytes / 2 / READ_UNIT);
  }, 0);
  const reads = RUNS * (writers + pages);
  const rows = closing.reduce((sum, { name, layout }) => {
    const cells = month.mean((usage) => usage.windows.get(name)?.liveCells ?? 0);
    return sum + (cells * MONTH_S * 1000) / layout.gridMs;
  }, 0);
  return [
    costLine(['Closer', 'runs'], 'one a minute', [RUNS / MILLION, 'lambdaRequestsMillion']),
    costLine(['Closer', 'memory'], `the same x ${ASSUMED.closerRunS} s x ${MEMORY_GB} GB`, [
      RUNS * ASSUMED.closerRunS * MEMORY_GB,
      'lambdaGbSecond',
    ]),
    costLine(['Closer', 'reads'], `${short(RUNS)} runs x ${short(reads / RUNS)} units`, [
      reads / MILLION,
      'readUnitsMillion',
    ]),
    costLine(['Closer', 'revisions'], `${short(rows)} rows x 0.3 units`, [
      (rows * 0.3) / MILLION,
      'writeUnitsMillion',
    ]),
    costLine(['Closer', 'events'], `${short(rows)} rows`, [rows / MILLION, 'busEventsMillion']),
  ];
}
