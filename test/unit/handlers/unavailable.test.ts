import { describe, expect, it } from 'vitest';
import { compile } from '../../../src/core/compile.ts';
import { InvariantError, TransientError } from '../../../src/core/errors.ts';
import { makeConsume } from '../../../src/handlers/consume.ts';
import type { Bucket } from '../../../src/ports/bucket.ts';
import type { Stream } from '../../../src/ports/stream.ts';
import type { Table } from '../../../src/ports/table.ts';
import { smallPipeline } from '../../helpers/small-pipeline.ts';
import { invocation, makeWorld, NOON_MS, record, type World } from '../../helpers/world.ts';

const program = compile(smallPipeline);

/** Good and bad events of both partitions, among them one without a partition. */
function batch(arrivalMs = NOON_MS) {
  const good = (sequence: number, partitionKey: string) =>
    record({ sequence, partitionKey, arrivalMs, data: { place: 'ATL', at: arrivalMs, amount: 1 } });
  const bad = (sequence: number, partitionKey: string) =>
    record({ sequence, partitionKey, arrivalMs, bytes: Buffer.from('{') });
  return {
    Records: [
      good(10, 'p-0'),
      bad(11, 'p-0'),
      bad(12, 'elsewhere'),
      good(13, 'p-1'),
      bad(14, 'p-1'),
    ],
  };
}

const refused = async (): Promise<never> => {
  throw new TransientError('ThrottlingException');
};
const failed = async (inputs: readonly unknown[]) =>
  inputs.map(() => ({ status: 'failed' as const, error: new TransientError('throttled') }));

/** A world in which one kind of request never goes through. */
type Outage = (world: World) => World;

const table =
  (name: 'ledger' | 'aggregates' | 'events' | 'quarantineIndex', over: Partial<Table>): Outage =>
  (world) => ({ ...world, [name]: { ...world[name], ...over } });
const stream =
  (over: Partial<Stream>): Outage =>
  (world) => ({ ...world, stream: { ...world.stream, ...over } });
const bucket =
  (over: Partial<Bucket>): Outage =>
  (world) => ({ ...world, quarantine: { ...world.quarantine, ...over } });

/** Each kind of request of a batch, with the lowest sequence number that stays unfinished without it. */
const OUTAGES: readonly (readonly [string, Outage, string])[] = [
  ['the stream says who it is', stream({ identify: refused }), '10'],
  ['the ledger is read', table('ledger', { get: failed }), '10'],
  ['the ledger is queried', table('ledger', { query: refused }), '10'],
  ['a writer is registered', table('ledger', { putAll: failed }), '10'],
  ['the ledger is appended to', table('ledger', { putIf: failed }), '10'],
  ['cells are read', table('aggregates', { get: failed, query: refused }), '10'],
  ['cells are written', table('aggregates', { putIf: failed }), '10'],
  ['events are kept', table('events', { putAll: failed }), '10'],
  ['quarantine documents are put', bucket({ put: refused }), '11'],
  ['quarantined records are listed', table('quarantineIndex', { putAll: failed }), '11'],
];

describe.each([
  ['fresh', NOON_MS],
  // A record that is older than a minute makes a new container note its tries.
  ['lagging', NOON_MS - 3_600_000],
])('a batch of %s records', (_age, arrivalMs) => {
  it.each(OUTAGES)('is left from where it was, not failed, when not %s', async (...outage) => {
    const [, without, lowest] = outage;
    const world = makeWorld();

    const { response, report } = await makeConsume(without(world), program)(
      batch(arrivalMs),
      invocation(world),
    );

    expect(response.batchItemFailures).toEqual([{ itemIdentifier: lowest }]);
    expect(report.unfinished).toBeGreaterThan(0);
    expect(report.stops.length).toBeGreaterThan(0);
    expect(report.accepted + report.quarantined).toBeLessThan(5);
  });

  it.each(OUTAGES)(
    'is finished by the next try, as if nothing had been, after not %s',
    async (...outage) => {
      const [, without] = outage;
      const world = makeWorld();
      await makeConsume(without(world), program)(batch(arrivalMs), invocation(world));

      const { response } = await makeConsume(world, program)(batch(arrivalMs), invocation(world));

      expect(response.batchItemFailures).toEqual([]);
      const kept = world.events.items().map(({ pk }) => pk);
      expect(kept.filter((name) => name.startsWith('urn:'))).toEqual([
        'urn:test e10',
        'urn:test e13',
      ]);
      expect(world.quarantineIndex.items()).toHaveLength(3);
    },
  );
});

describe('what can’t go through later', () => {
  it('fails the invocation instead: nobody would learn of it else', async () => {
    const world = makeWorld();
    const denied = async (): Promise<never> => {
      throw new InvariantError('PutItem: AccessDeniedException');
    };
    const consume = makeConsume(table('ledger', { putIf: denied })(world), program);

    await expect(consume(batch(), invocation(world))).rejects.toThrow('AccessDenied');
  });
});
