import { describe, expect, it } from 'vitest';
import { makeSkippingClock } from '../../../src/adapters/memory/clock.ts';
import { makeSeededRandom } from '../../../src/adapters/memory/random.ts';
import { makeMemoryStream } from '../../../src/adapters/memory/stream.ts';
import { makeMemoryTable } from '../../../src/adapters/memory/table.ts';
import { compile } from '../../../src/core/compile.ts';
import { encodeEntry, type LedgerEntry } from '../../../src/core/ledger.ts';
import { EpochWatch } from '../../../src/handlers/epoch-watch.ts';
import { Head, SLACK_MS } from '../../../src/handlers/head.ts';
import { IdKey } from '../../../src/handlers/id-key.ts';
import { LedgerHeads } from '../../../src/handlers/ledger-heads.ts';
import { ancestorWriters } from '../../../src/handlers/shard-lineage.ts';
import { smallPipeline } from '../../helpers/small-pipeline.ts';

const { settings } = compile(smallPipeline);
const WRITER = 'abc-1.p0';
const START_MS = 1_000_000_000;

function entry(n: number, over: Partial<LedgerEntry> = {}): LedgerEntry {
  return {
    writer: WRITER,
    n,
    position: { shard: 0, sequence: String(n * 10), index: 0 },
    watermarkMs: START_MS + n,
    highArrivalMs: START_MS + n,
    ids: [{ high: 1, low: n, check: n, arrivalMs: START_MS + n }],
    closedThroughMs: undefined,
    fingerprint: '0',
    writtenMs: START_MS,
    ttlSeconds: 9_999_999_999,
    ...over,
  };
}

function setUp() {
  const clock = makeSkippingClock(START_MS + 1_000);
  const context = { clock, random: makeSeededRandom(1), deadlineMs: START_MS * 2 };
  const ledger = makeMemoryTable();
  const heads = new LedgerHeads(ledger, settings);
  const append = (one: LedgerEntry) => ledger.putAll([encodeEntry(one)], context);
  const fresh = async (minArrivalMs = START_MS) => {
    const request = { writer: WRITER, minArrivalMs, ancestors: async () => [] };
    const head = (await heads.fresh([request], context)).get(WRITER);
    if (!(head instanceof Head)) throw head ?? new Error('no head');
    return head;
  };
  return { clock, context, ledger, heads, append, fresh };
}

describe('a head', () => {
  it('adds up its chain, and takes an entry that it knows as nothing', () => {
    const head = new Head(0);
    for (const n of [1, 2, 2, 1, 3]) head.apply(entry(n));
    expect(head).toMatchObject({ n: 3, watermarkMs: START_MS + 3, position: { sequence: '30' } });
    expect(head.size).toBe(3);
    expect(head.find({ high: 1, low: 2 })?.arrivalMs).toBe(START_MS + 2);
  });

  it.each([
    ['a gap', entry(3), 'entries are missing'],
    [
      'a position that goes back',
      entry(2, { position: { shard: 0, sequence: '9', index: 0 } }),
      'goes back',
    ],
    ['a watermark that falls', entry(2, { watermarkMs: START_MS }), 'goes back'],
    ['an arrival that falls', entry(2, { highArrivalMs: START_MS }), 'goes back'],
  ])('refuses %s', (_name, next, says) => {
    const head = new Head(0);
    head.apply(entry(1));
    expect(() => head.apply(next)).toThrow(says);
  });

  it('takes over the ids and the watermark of an ancestor, not its position', () => {
    const ancestor = new Head(0);
    ancestor.apply(entry(1));
    const head = new Head(0);
    head.inherit(ancestor);
    expect(head).toMatchObject({ n: 0, position: undefined, watermarkMs: START_MS + 1 });
    expect(head.find({ high: 1, low: 1 })).toBeDefined();
  });
});

describe('the heads of a container', () => {
  it('are loaded when cold, and asked for news by one read when warm', async () => {
    const { ledger, append, fresh } = setUp();
    await append(entry(1));
    expect((await fresh()).n).toBe(1);
    const before = ledger.usage.requests;
    expect((await fresh()).n).toBe(1);
    expect(ledger.usage.requests - before).toBe(1);
  });

  it('learn what another container appended', async () => {
    const { append, fresh } = setUp();
    await append(entry(1));
    await fresh();
    await append(entry(2));
    await append(entry(3));
    expect(await fresh()).toMatchObject({ n: 3, position: { sequence: '30' } });
  });

  it('load only as far back as an id can matter', async () => {
    const { append, fresh } = setUp();
    const oldMs = START_MS - settings.horizonMs - SLACK_MS - 10_000;
    const old = { high: 9, low: 9, check: 1, arrivalMs: oldMs };
    for (let n = 1; n <= 150; n += 1) {
      await append(entry(n, { highArrivalMs: oldMs, ids: n === 1 ? [old] : [] }));
    }
    await append(entry(151));
    const head = await fresh();
    expect(head.n).toBe(151);
    expect(head.find({ high: 9, low: 9 })).toBeUndefined();
    expect((await fresh(oldMs)).find({ high: 9, low: 9 })).toBeDefined();
  });

  it('are dropped when they were not used for half of an entry’s life', async () => {
    const { ledger, clock, append, fresh } = setUp();
    await append(entry(1));
    const first = await fresh();
    clock.advance(13 * 3_600_000);
    ledger.remove({ pk: `1|${WRITER}`, sk: 'e#000000000001' });
    expect(await fresh()).not.toBe(first);
  });
});

describe('the key of the ids', () => {
  it('is made once, whoever comes first', async () => {
    const { ledger, context } = setUp();
    const first = await new IdKey(ledger, makeSeededRandom(1)).current(context);
    const second = await new IdKey(ledger, makeSeededRandom(2)).current(context);
    expect(second).toEqual(first);
  });
});

describe('the epoch', () => {
  it('is asked for each minute, and its change throws once', async () => {
    const { clock, context } = setUp();
    const stream = makeMemoryStream({ arn: 'arn:s', createdMs: 1_000 });
    const watch = new EpochWatch(stream);
    const first = await watch.current(context);
    stream.recreate(9_000);
    expect(await watch.current(context)).toBe(first);
    clock.advance(60_000);
    await expect(watch.current(context)).rejects.toThrow('epoch');
    expect(await watch.current(context)).not.toBe(first);
  });
});

describe('the ancestors of a shard', () => {
  it('are all that the stream still lists, over splits and merges', async () => {
    const stream = makeMemoryStream({ arn: 'arn:s', createdMs: 1_000 });
    stream.addShard(2, [0, 1]);
    stream.addShard(3, [2]);
    stream.addShard(4, [2, 3]);
    const { context } = setUp();
    expect(await ancestorWriters(stream, 'e', 4, context)).toEqual([
      'e.s0',
      'e.s1',
      'e.s2',
      'e.s3',
    ]);
  });
});
