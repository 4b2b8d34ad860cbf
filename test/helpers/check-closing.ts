import type { BatchResult } from '../../src/batch/batch.ts';
import { compareResults } from '../../src/batch/compare.ts';
import type { WindowEvent } from '../../src/core/closing.ts';
import type { Program } from '../../src/core/program.ts';
import { checkPublished, closingRows, newestRows } from '../../src/sim/check-closing.ts';

/** What is checked. */
export interface ClosingEnd {
  readonly program: Program;
  /** What a batch computation of everything gives. */
  readonly computed: BatchResult;
  /** Everything that was published, in the order in which it came. */
  readonly events: readonly WindowEvent[];
}

/** What is wrong with what was published, once every window is final; none where all holds. */
export function checkClosing(end: ClosingEnd): readonly string[] {
  return [...checkPublished(end.events), ...checkAgainstBatch(end)];
}

/** Who has read everything knows what a batch computation of the same records gives. */
function checkAgainstBatch({ program, computed, events }: ClosingEnd): readonly string[] {
  const { differences } = compareResults(
    { rows: newestRows(program, events), refused: new Map() },
    { ...computed, rows: closingRows(program, computed.rows), refused: new Map() },
  );
  return differences.map(
    ({ where, stored, computed: right }) =>
      `${where}: published ${JSON.stringify(stored)}, computed ${JSON.stringify(right)}`,
  );
}
