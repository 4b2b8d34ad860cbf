import { makeSeededRandom } from '../../../src/adapters/memory/random.ts';
import { InvariantError, TransientError } from '../../../src/core/errors.ts';
import { readTails, renewTail } from '../../../src/handlers/archive-tails.ts';
import type { Table } from '../../../src/ports/table.ts';
import { record } from '../../helpers/world.ts';
import { epoch, HOUR_MS, START_MS, setUp, tailOf } from './archived-world.ts';
import { differs } from './stored/facts.ts';

/** All tails, and one of which it is known again that nothing came: unless it has moved. */
export async function known(): Promise<readonly string[]> {
  const world = setUp();
  const { clock, ledger } = world;
  const context = { clock, random: makeSeededRandom(1), deadlineMs: START_MS + HOUR_MS };
  for (const shard of [7, 3, 5]) {
    const Records = [record({ sequence: shard, shard, arrivalMs: START_MS })];
    await world.handler({ Records }, { requestId: 'r', deadlineMs: START_MS + HOUR_MS });
  }
  const paged: Table = {
    ...ledger,
    query: (query, options) => ledger.query({ ...query, limit: 2 }, options),
  };
  const tails = await readTails(paged, epoch(), context);
  const [tail] = tails;
  if (tail === undefined) return ['tails: got none'];
  const renewed = await renewTail(ledger, tail, { ...context, knownMs: START_MS + 7 });
  const older = await renewTail(
    ledger,
    { ...tail, knownMs: START_MS + 7 },
    { ...context, knownMs: 1 },
  );
  const moved = await renewTail(
    ledger,
    { ...tail, last: '2' },
    { ...context, knownMs: START_MS + 9 },
  );
  const error = new TransientError('refused');
  const down: Table = {
    ...ledger,
    putIf: async (writes) => writes.map(() => ({ status: 'failed', error })),
  };
  const failed = await renewTail(down, tail, { ...context, knownMs: 1 }).catch(
    (found: unknown) => found,
  );
  return [
    ...differs(
      'tails',
      tails.map(({ shard, last }) => [shard, last]),
      [
        [3, '3'],
        [5, '5'],
        [7, '7'],
      ],
    ),
    ...differs('renewed', [renewed, older, moved], [true, true, false]),
    ...differs('known', tailOf(world)?.k, START_MS + 7),
    ...differs('failed', failed === error, true),
  ];
}

/** A tail of another version of the format is not read. */
export async function versions(): Promise<readonly string[]> {
  const found: string[] = [];
  for (const [version, expected] of [
    [1, 'archived'],
    [2, 'refused'],
  ] as const) {
    const { clock, ledger, run } = setUp();
    await run([5]);
    const [tail] = ledger.items();
    if (tail === undefined) return ['tails: got none'];
    await ledger.putAll([{ ...tail, v: version }], { deadlineMs: clock.now() + 1 });
    const became = await run([6]).then(
      () => 'archived',
      (error: unknown) => (error instanceof InvariantError ? 'refused' : String(error)),
    );
    found.push(...differs(`version ${version}`, became, expected));
  }
  return found;
}
