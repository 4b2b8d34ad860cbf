import { describe, expect, it } from 'vitest';
import { TransientError } from '../../../src/core/errors.ts';
import { AttemptGuard } from '../../../src/handlers/attempt-guard.ts';
import { Head } from '../../../src/handlers/head.ts';
import type { Table } from '../../../src/ports/table.ts';
import { makeWorld, type World } from '../../helpers/world.ts';
import { sourceRecord, writeContext } from '../../helpers/write-context.ts';

const WRITER = 'epoch.p0';
const RECORDS = [1, 2, 3, 4].map((sequence) => sourceRecord(sequence));
const INVOCATION_MS = 60_000;

/** One container's guard over the world's ledger, or over one that misbehaves. */
function guardOf(world: World, over: Partial<Table> = {}) {
  const context = writeContext(world);
  const guard = new AttemptGuard({ ...world.ledger, ...over }, context.program.settings);
  const begin = async (records = RECORDS) => {
    const stored = (await guard.read([WRITER], context)).get(WRITER);
    const head = new Head(world.clock.now());
    return guard.begin(
      { writer: WRITER, head, records, stored, invocationMs: INVOCATION_MS },
      context,
    );
  };
  return { guard, context, begin };
}

describe('a try that lags', () => {
  it('is noted before anything is computed, and again before anything is written', async () => {
    const world = makeWorld();
    const { guard, context, begin } = guardOf(world);
    const { attempt, take } = await begin();
    const [computing] = world.ledger.items();
    await guard.beforeWriting(attempt, RECORDS.at(-1), context);
    const [writing] = world.ledger.items();

    expect(take).toBe(4);
    expect(computing).toMatchObject({ h: 'computing', e: '0:4:0', k: '', r: 1 });
    expect(writing).toMatchObject({ h: 'writing', k: '0:4:0', r: 2 });
  });

  it('counts no death where the one before came to writing', async () => {
    const world = makeWorld();
    const { guard, context, begin } = guardOf(world);
    const first = await begin();
    await guard.beforeWriting(first.attempt, RECORDS.at(-1), context);
    const second = await begin();
    expect([second.attempt.deaths, second.take]).toEqual([0, 4]);
  });

  it('takes half after two deaths, and quarantines a record that kills alone', async () => {
    const world = makeWorld();
    const takes: number[] = [];
    for (let death = 0; death < 12; death += 1) {
      const next = await guardOf(world).begin();
      if (next.quarantineFirst) break;
      takes.push(next.take);
      world.clock.advance(INVOCATION_MS);
    }
    expect(takes).toEqual([4, 4, 2, 2, 1, 1, 1]);
  });
});

describe('two tries at once', () => {
  it('end with one of them: the other writes nothing', async () => {
    const world = makeWorld();
    const slow = guardOf(world);
    const { attempt } = await slow.begin();
    await guardOf(world).begin();

    const late = slow.guard.beforeWriting(attempt, RECORDS[0], slow.context);
    await expect(late).rejects.toThrow('another try is at it');
    await expect(late).rejects.toBeInstanceOf(TransientError);
  });

  it('can’t both begin: the second to write is told', async () => {
    const world = makeWorld();
    const [one, two] = [guardOf(world), guardOf(world)];
    const begun = await Promise.allSettled([one.begin(), two.begin()]);
    expect(begun.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });
});

describe('an answer that is lost', () => {
  it('is no other try: the note that is found is its own', async () => {
    const world = makeWorld();
    let lost = 0;
    const putIf: Table['putIf'] = async (writes, options) => {
      const results = await world.ledger.putIf(writes, options);
      lost += 1;
      if (lost > 1) return results;
      return results.map(() => ({ status: 'failed', error: new TransientError('no answer') }));
    };
    const { begin } = guardOf(world, { putIf });

    const { attempt } = await begin();

    expect(lost).toBe(2);
    expect(world.ledger.items()).toMatchObject([{ r: attempt.revision, o: attempt.owner }]);
  });

  it('ends the try when the ledger stays silent', async () => {
    const world = makeWorld();
    const silent = async (inputs: readonly unknown[]) =>
      inputs.map(() => ({ status: 'failed' as const, error: new TransientError('no answer') }));
    await expect(guardOf(world, { putIf: silent }).begin()).rejects.toThrow(
      'attempt of epoch.p0: no answer',
    );
    await expect(guardOf(world, { get: silent }).begin()).rejects.toThrow('no answer');
  });
});
