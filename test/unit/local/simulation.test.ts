import { expect, it } from 'vitest';
import { BatchComputation } from '../../../src/batch/batch.ts';
import { compile } from '../../../src/core/compile.ts';
import { loadSimulation } from '../../../src/local/simulation.ts';

const COUNT = 200;

interface Sent {
  readonly id: string;
  readonly source: string;
  readonly originms: string;
  readonly data: { readonly delay: number };
}

it('a pipeline without a feed is simulated with what the one before it makes of its own', async () => {
  const { folder, startMs, events } = await loadSimulation('delays', COUNT);
  const sent = events(1);
  const program = compile(folder.pipeline, folder.references);
  const batch = new BatchComputation(folder.pipeline, program);
  for (const { bytes, partitionKey, atMs } of sent) {
    batch.add({ bytes, lane: partitionKey, arrivalMs: atMs });
  }
  const { accepted, repeats, refused } = batch.result();

  // Some are broken and some come twice, as with any feed.
  expect(accepted).toBeGreaterThan(COUNT / 2);
  expect(repeats).toBeGreaterThan(0);
  expect([...refused.keys()].sort()).toEqual([
    'future',
    'id-conflict',
    'late',
    'not-decodable',
    'schema',
  ]);

  const whole = sent.flatMap(({ bytes }): Sent[] => {
    const text = Buffer.from(bytes).toString();
    return text.endsWith('}}') ? [JSON.parse(text)] : [];
  });
  expect(new Set(whole.map(({ source }) => source))).toEqual(
    new Set(['urn:millrace:flights:late']),
  );
  expect(new Set(whole.map(({ originms }) => originms))).toEqual(new Set([String(startMs)]));
  expect(whole.filter(({ data }) => data.delay > 15).length).toBeGreaterThan(COUNT / 2);
}, 30_000);

it('each seed sends other ids, and the same seed the same bytes', async () => {
  const { events } = await loadSimulation('delays', COUNT);
  const idsOf = (seed: number) =>
    events(seed).map(({ bytes }) => /"id":"[^"]*"/.exec(Buffer.from(bytes).toString())?.[0]);

  expect(events(3)).toEqual(events(3));
  expect(idsOf(3).filter((id) => id !== undefined && idsOf(4).includes(id))).toEqual([]);
}, 30_000);
