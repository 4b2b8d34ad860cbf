import { BatchComputation, resultName } from '../../src/batch/batch.ts';
import { compareResults } from '../../src/batch/compare.ts';
import type { AnyPipeline } from '../../src/core/pipeline/types.ts';
import type { Program } from '../../src/core/program.ts';
import type { RejectionReason } from '../../src/core/rejection.ts';
import { wholeFromMs } from '../../src/core/replay.ts';
import { resultRows } from '../../src/sim/stored-items.ts';
import type { GenerationTables } from './replay-simulation.ts';
import type { StreamRecord } from './sharded-stream.ts';

/** What a generation is held against. */
export interface GenerationCheck {
  readonly pipeline: AnyPipeline;
  readonly program: Program;
  readonly tables: GenerationTables;
  readonly records: readonly StreamRecord[];
  /** Windows from which on it is whole follow from it; default: all. */
  readonly fromMs?: number;
}

/** How a generation differs from the batch computation of all records; none where it is right. */
export function checkGeneration(check: GenerationCheck): readonly string[] {
  const { pipeline, program, tables, records, fromMs } = check;
  const batch = new BatchComputation(pipeline, program);
  const ordered = [...records].sort((left, right) => left.sequence - right.sequence);
  for (const { partition, bytes, arrivalMs } of ordered) {
    batch.add({ bytes, lane: `p${partition}`, arrivalMs });
  }
  const computed = batch.result();
  const stored = resultRows(program, tables.aggregates.items()).map(
    ({ aggregate, startMs, group, columns }) =>
      [resultName(aggregate.name, startMs, JSON.stringify(group)), columns] as const,
  );
  const isWhole = (name: string) => isWholeRow(program, name, fromMs);
  const refused = new Map<RejectionReason, number>();
  for (const { r } of tables.quarantineIndex.items()) {
    const reason = r as RejectionReason;
    refused.set(reason, (refused.get(reason) ?? 0) + 1);
  }
  const { differences } = compareResults(
    {
      rows: new Map(stored.filter(([name]) => isWhole(name))),
      refused: fromMs === undefined ? refused : new Map(),
    },
    {
      ...computed,
      rows: new Map([...computed.rows].filter(([name]) => isWhole(name))),
      refused: fromMs === undefined ? computed.refused : new Map(),
    },
  );
  return differences.map(
    ({ where, stored: left, computed: right }) =>
      `${where}: stored ${JSON.stringify(left)}, computed ${JSON.stringify(right)}`,
  );
}

function isWholeRow(program: Program, name: string, fromMs: number | undefined): boolean {
  if (fromMs === undefined) return true;
  const [window, start = ''] = name.split(' ');
  const aggregate = program.aggregates.find((one) => one.name === window);
  if (aggregate === undefined) return true;
  return Date.parse(start) >= wholeFromMs(program.settings, aggregate, fromMs);
}
