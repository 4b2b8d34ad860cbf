import { describe, expect, it } from 'vitest';
import { Clusters, documentName } from '../../../src/core/cluster.ts';
import { compile } from '../../../src/core/compile.ts';
import { decodeDocument, type QuarantineDocument } from '../../../src/core/quarantine.ts';
import { tryAgain } from '../../../src/core/try-again.ts';
import { makeConsume } from '../../../src/handlers/consume.ts';
import { quarantinedDocuments } from '../../../src/handlers/read-quarantine.ts';
import { smallPipeline } from '../../helpers/small-pipeline.ts';
import { invocation, makeWorld, NOON_MS, record, type World } from '../../helpers/world.ts';

const program = compile(smallPipeline);
const DAY_MS = 86_400_000;
const good = { place: 'ATL', at: NOON_MS, amount: 1 };

async function refusing(over: { readonly ledgerFails?: boolean } = {}): Promise<World> {
  const world = makeWorld();
  const batch = {
    Records: [
      record({ sequence: 1, data: { ...good, place: 7 } }),
      record({ sequence: 2, data: { ...good, place: 8 }, source: 'urn:other' }),
      record({ sequence: 3, data: { ...good, place: 9 } }),
      record({ sequence: 4, bytes: Buffer.from('{"half') }),
      record({ sequence: 5, data: { ...good, place: 'nowhere' } }),
      record({ sequence: 6, data: good }),
    ],
  };
  if (over.ledgerFails === true) {
    const deaf: World = {
      ...world,
      ledger: {
        ...world.ledger,
        putIf: async (writes, options) =>
          writes.some(({ item }) => item.sk.startsWith('e#'))
            ? writes.map(() => ({ status: 'failed', error: new Error('refused') }))
            : world.ledger.putIf(writes, options),
      },
    };
    const some = { Records: batch.Records.slice(0, 4) };
    await makeConsume(deaf, program)(some, invocation(world, 5_000));
  }
  await makeConsume(world, program)(batch, invocation(world));
  return world;
}

async function read(
  world: World,
  over: Partial<Parameters<typeof quarantinedDocuments>[1]> = {},
): Promise<readonly QuarantineDocument[]> {
  const filter = {
    pipeline: 'small',
    fromMs: NOON_MS - 1,
    toMs: NOON_MS + 1,
    limit: 100,
    streamMs: DAY_MS,
    ...over,
  };
  const context = { clock: world.clock, random: world.random, deadlineMs: Infinity };
  const found: QuarantineDocument[] = [];
  for await (const one of quarantinedDocuments(world.quarantine, filter, context)) found.push(one);
  return found;
}

describe('refused events', () => {
  it('are read once each, also where a try before left copies', async () => {
    const world = await refusing({ ledgerFails: true });
    const documents = await read(world);
    expect(world.quarantine.objects.size).toBeGreaterThan(1);
    expect(documents.map(({ reason }) => reason).sort()).toEqual([
      'not-decodable',
      'schema',
      'schema',
      'schema',
      'transform',
    ]);
    expect(new Set(documents.map(documentName)).size).toBe(5);
  });

  it('are chosen by reason, arrival and number', async () => {
    const world = await refusing();
    expect(await read(world, { reason: 'schema' })).toHaveLength(3);
    expect(await read(world, { toMs: NOON_MS })).toEqual([]);
    expect(await read(world, { limit: 2 })).toHaveLength(2);
    expect(await read(world, { pipeline: 'other' })).toEqual([]);
  });

  it('are counted by cause, the most frequent first, without their data', async () => {
    const clusters = new Clusters();
    for (const document of await read(await refusing())) clusters.add(document);
    const { sorted } = clusters;
    expect(sorted.map(({ reason, path, source, count }) => [reason, path, source, count])).toEqual([
      ['schema', 'place', 'urn:test', 2],
      ['schema', 'place', 'urn:other', 1],
      ['not-decodable', '', '', 1],
      ['transform', '', 'urn:test', 1],
    ]);
    expect(sorted[0]?.samples).toHaveLength(2);
  });

  it('of many causes are counted in bounded memory', () => {
    const clusters = new Clusters();
    const [document] = [{ v: 1, reason: 'schema', issues: [], writer: 'w', arrival: 'x' }];
    for (let index = 0; index < 3_000; index += 1) {
      const one = { ...document, source: `urn:${index}`, position: `0:${index}:0` };
      clusters.add(one as never as QuarantineDocument);
    }
    expect(clusters.sorted.length).toBe(1_001);
    expect(clusters.sorted[0]?.count).toBe(2_000);
  });

  it('pass or are refused by the present pipeline, and by a changed one', async () => {
    const documents = await read(await refusing());
    const verdicts = (by: typeof program) =>
      documents.map((document) => `${document.reason} ${tryAgain(by, document).type}`).sort();
    expect(verdicts(program)).toEqual([
      'not-decodable refused',
      'schema refused',
      'schema refused',
      'schema refused',
      'transform refused',
    ]);
    const mended = { ...program, transform: (event: unknown) => [event] };
    expect(verdicts(mended)).toContain('transform passes');
  });

  it('of another format version are refused with what to do', () => {
    expect(() => decodeDocument('{"v":99}')).toThrow('use the version of Millrace');
  });
});
