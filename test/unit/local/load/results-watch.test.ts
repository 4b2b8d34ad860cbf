import { expect, it } from 'vitest';
import { makeMemoryTable } from '../../../../src/adapters/memory/table.ts';
import { encodeEntry } from '../../../../src/core/ledger.ts';
import { ResultsWatch } from '../../../../src/local/load/results-watch.ts';

const writer = 'e.p0';

function position(sequence: number) {
  return { shard: 0, sequence: String(sequence), index: 0 };
}

function entry(n: number, sequence: number) {
  return encodeEntry({
    writer,
    n,
    position: position(sequence),
    watermarkMs: undefined,
    highArrivalMs: 0,
    ids: [],
    closedThroughMs: undefined,
    fingerprint: 'f',
    writtenMs: n * 1_000,
    ttlSeconds: 1,
  });
}

async function watching() {
  const table = makeMemoryTable();
  const options = { deadlineMs: Number.POSITIVE_INFINITY };
  const write = (n: number, sequence: number) => table.putAll([entry(n, sequence)], options);
  await write(1, 100);
  const stored: [number, number][] = [];
  const watch = new ResultsWatch(table, ({ dueMs }, ms) => stored.push([dueMs, ms]));
  await watch.begin(writer);
  return { watch, write, stored };
}

it('an event is stored with the first entry at or behind its position', async () => {
  const { watch, write, stored } = await watching();
  for (const sequence of [101, 102, 103]) {
    watch.add({ writer, position: position(sequence), dueMs: sequence });
  }
  await watch.look();
  expect(watch.waiting).toBe(3);
  await write(2, 102);
  await write(3, 102);
  await watch.look();
  expect(stored).toEqual([
    [101, 2_000],
    [102, 2_000],
  ]);
  await write(4, 200);
  await watch.look();
  expect(stored.at(-1)).toEqual([103, 4_000]);
  expect(watch.waiting).toBe(0);
});

it('an event whose acknowledgement comes after its result is stored when it was', async () => {
  const { watch, write, stored } = await watching();
  watch.add({ writer, position: position(101), dueMs: 1 });
  await write(2, 102);
  await write(3, 110);
  await watch.look();
  watch.add({ writer, position: position(102), dueMs: 2 });
  await watch.look();
  expect(stored).toEqual([
    [1, 2_000],
    [2, 2_000],
  ]);
});
