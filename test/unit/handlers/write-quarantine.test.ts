import { describe, expect, it } from 'vitest';
import { TransientError } from '../../../src/core/errors.ts';
import { refuse } from '../../../src/core/rejection.ts';
import { type RefusedRecord, writeQuarantine } from '../../../src/handlers/write-quarantine.ts';
import { makeWorld, NOON_MS, type World } from '../../helpers/world.ts';
import { sourceRecord, writeContext } from '../../helpers/write-context.ts';

function refused(sequence: number, bytes?: Uint8Array): RefusedRecord {
  const { rejection } = refuse('schema', 'validate', { path: 'amount', message: 'a number' });
  return {
    ordinal: sequence - 1,
    record: sourceRecord(sequence, bytes),
    rejection: { ...rejection, id: `e${sequence}`, source: 'urn:test', eventTimeMs: NOON_MS },
  };
}

/** The documents of each object, by its key. */
function documents(world: World): Readonly<Record<string, Record<string, unknown>[]>> {
  const all = [...world.quarantine.objects].map(([key, body]) => {
    const lines = Buffer.from(body).toString().trimEnd().split('\n');
    return [key, lines.map((line) => JSON.parse(line))] as const;
  });
  return Object.fromEntries(all);
}

const DAY = new Date(NOON_MS).toISOString().slice(0, 10);

describe('writeQuarantine', () => {
  it('puts one object for a writer’s prefix, with everything that is needed to bring it back', async () => {
    const world = makeWorld();
    const context = writeContext(world);
    const traced = { ...context, invocation: { ...context.invocation, traceId: '1-abc' } };

    const left = await writeQuarantine(traced, [refused(1), refused(2, Buffer.from([0xff, 0]))]);

    expect(left).toEqual({ records: [], error: undefined });
    const key = `quarantine/small/${DAY}/epoch.p0/0:1:0-0:2:0.jsonl`;
    expect(Object.keys(documents(world))).toEqual([key]);
    expect(documents(world)[key]?.[1]).toEqual({
      v: 1,
      pipeline: 'small',
      fingerprint: context.program.fingerprintAt(NOON_MS),
      reason: 'schema',
      stage: 'validate',
      issues: [{ path: 'amount', message: 'a number' }],
      writer: 'epoch.p0',
      position: '0:2:0',
      partitionKey: 'p-0',
      arrival: new Date(NOON_MS + 2).toISOString(),
      eventTime: new Date(NOON_MS).toISOString(),
      source: 'urn:test',
      id: 'e2',
      requestId: 'request-1',
      traceId: '1-abc',
      bytes: Buffer.from([0xff, 0]).toString('base64'),
    });
  });

  it('has an index item a record that points to its line', async () => {
    const world = makeWorld();
    await writeQuarantine(writeContext(world), [refused(1), refused(12)]);

    const items = world.quarantineIndex.items();
    expect(items.map(({ pk }) => pk)).toEqual(['epoch.p0', 'epoch.p0']);
    for (const [line, item] of items.entries()) {
      const document = documents(world)[String(item.o)]?.[Number(item.l)];
      expect(item).toMatchObject({ l: line, r: 'schema', g: 'validate', m: 'amount' });
      expect(document?.id).toBe(item.i);
      expect(Number(item.ttl) * 1000).toBeGreaterThan(world.clock.now() + 29 * 86_400_000);
    }
  });

  it('changes nothing but who refused when it is done again', async () => {
    const world = makeWorld();
    await writeQuarantine(writeContext(world), [refused(1), refused(2)]);
    const before = world.quarantineIndex.items();
    await writeQuarantine(writeContext(world), [refused(1), refused(2)]);

    expect(world.quarantineIndex.items()).toEqual(before);
    expect(world.quarantine.objects.size).toBe(1);
  });

  it('lists a record once when it comes again within other boundaries', async () => {
    const world = makeWorld();
    await writeQuarantine(writeContext(world), [refused(1), refused(2), refused(3)]);
    await writeQuarantine(writeContext(world), [refused(1), refused(2)]);

    const items = world.quarantineIndex.items();
    expect(items).toHaveLength(3);
    for (const { o, l, i } of items) {
      expect(documents(world)[String(o)]?.[Number(l)]?.id).toBe(i);
    }
  });

  it('splits what is more than eight megabytes', async () => {
    const world = makeWorld();
    const large = Buffer.alloc(3_000_000);
    await writeQuarantine(
      writeContext(world),
      [1, 2, 3].map((one) => refused(one, large)),
    );

    const sizes = [...world.quarantine.objects.values()].map((body) => body.length);
    expect(sizes).toHaveLength(2);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(8 * 1024 * 1024 + 1);
    expect(world.quarantineIndex.items()).toHaveLength(3);
  });

  it('writes nothing where nothing is refused', async () => {
    const world = makeWorld();
    expect(await writeQuarantine(writeContext(world), [])).toEqual({
      records: [],
      error: undefined,
    });
    expect(world.quarantine.objects.size).toBe(0);
  });

  it('leaves every record of an object that could not be put, and of those after it', async () => {
    const world = makeWorld();
    const large = Buffer.alloc(5_000_000);
    let puts = 0;
    const bucket = {
      ...world.quarantine,
      put: async (...args: Parameters<typeof world.quarantine.put>) => {
        puts += 1;
        if (puts > 1) throw new TransientError('SlowDown');
        return world.quarantine.put(...args);
      },
    };
    const all = [1, 2, 3].map((one) => refused(one, large));

    const { records, error } = await writeQuarantine(
      writeContext(world, { quarantine: bucket }),
      all,
    );

    expect(records.map(({ ordinal }) => ordinal)).toEqual([1, 2]);
    expect(error).toBeInstanceOf(TransientError);
    expect(world.quarantineIndex.items()).toHaveLength(1);
  });

  it('leaves the records whose index item could not be written', async () => {
    const world = makeWorld();
    const index = {
      ...world.quarantineIndex,
      putAll: async (items: Parameters<typeof world.quarantineIndex.putAll>[0]) =>
        items.map(({ i }) =>
          i === 'e2'
            ? { status: 'failed' as const, error: new TransientError('left unprocessed') }
            : { status: 'written' as const },
        ),
    };
    const { records } = await writeQuarantine(writeContext(world, { quarantineIndex: index }), [
      refused(1),
      refused(2),
      refused(3),
    ]);
    expect(records.map(({ ordinal }) => ordinal)).toEqual([1]);
  });
});
