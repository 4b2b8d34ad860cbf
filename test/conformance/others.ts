import { describe, expect, it } from 'vitest';
import type { WindowEvent } from '../../src/core/closing.ts';
import { explicitHashKey } from '../../src/core/partition.ts';
import { compareSequences } from '../../src/core/position.ts';
import type { Bucket } from '../../src/ports/bucket.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { Outlet, OutletRecord } from '../../src/ports/outlet.ts';
import type { Publisher } from '../../src/ports/publisher.ts';
import type { Random } from '../../src/ports/random.ts';
import type { Shards } from '../../src/ports/shards.ts';
import type { Stream } from '../../src/ports/stream.ts';

const soon = () => ({ deadlineMs: Date.now() + 20_000 });

/** What every bucket has to do. */
export function bucketSuite(name: string, make: () => Promise<Bucket>): void {
  describe(`${name} as a bucket`, () => {
    it('gives back the bytes that were put last, and nothing where there is nothing', async () => {
      const bucket = await make();
      const key = `folder/${crypto.randomUUID()}=é:1-2.jsonl`;
      const body = new Uint8Array([0, 1, 254, 255]);

      const before = await bucket.get(key, soon());
      await bucket.put(key, new Uint8Array([9]), 'application/octet-stream', soon());
      await bucket.put(key, body, 'application/octet-stream', soon());

      expect(before).toBeUndefined();
      expect([...((await bucket.get(key, soon())) ?? [])]).toEqual([...body]);
    });

    it('lists keys in the order of their bytes, in pages, from behind a key on', async () => {
      const bucket = await make();
      const prefix = `folder/${crypto.randomUUID()}/`;
      const names = ['B', 'a', 'a=1/x', 'a=1/y', 'a=2', 'é', '\u{1F600}'];
      const body = new Uint8Array([1]);
      for (const name of [...names].reverse()) {
        await bucket.put(`${prefix}${name}`, body, 'text/plain', soon());
      }
      await bucket.put(`${prefix.slice(0, -1)}`, body, 'text/plain', soon());
      const all = async (after?: string) => {
        const found: string[] = [];
        let from = after;
        do {
          const start = from === undefined ? {} : { after: from };
          const page = await bucket.list({ prefix, limit: 2, ...start }, soon());
          expect(page.keys.length).toBeLessThanOrEqual(2);
          found.push(...page.keys.map((key) => key.slice(prefix.length)));
          from = page.next;
        } while (from !== undefined);
        return found;
      };

      expect(await all()).toEqual(names);
      expect(await all(`${prefix}a=1/`)).toEqual(names.slice(2));
      expect(await all(`${prefix}a=1/y`)).toEqual(names.slice(4));
      expect(await bucket.list({ prefix: `${prefix}nothing` }, soon())).toEqual({
        keys: [],
        next: undefined,
      });
    });
  });
}

/** Shards, and how a test puts a record into one. */
export interface ShardsUnderTest {
  readonly shards: Shards;
  /** Puts a record into shard 0; its sequence number. */
  put(): Promise<string>;
}

/** What the shards of every stream have to tell. `make` gives a new stream of one shard. */
export function shardsSuite(name: string, make: () => Promise<ShardsUnderTest>): void {
  describe(`${name} as shards`, () => {
    it('are listed, also without a record', async () => {
      const { shards } = await make();
      expect(await shards.list(soon())).toEqual([0]);
      expect(await shards.next(0, undefined, soon())).toEqual({ type: 'none' });
    });

    it('tell what comes after a record, and that nothing does', async () => {
      const { shards, put } = await make();
      const first = await put();
      const second = await put();

      const found = await shards.next(0, first, soon());

      expect(found).toMatchObject({ type: 'record' });
      if (found.type === 'record') expect(Math.abs(found.arrivalMs - Date.now())).toBeLessThan(1e5);
      expect(await shards.next(0, undefined, soon())).toMatchObject({ type: 'record' });
      expect(await shards.next(0, second, soon())).toEqual({ type: 'none' });
    });
  });
}

/** What every stream has to tell. */
export function streamSuite(name: string, make: () => Promise<Stream>): void {
  describe(`${name} as a stream`, () => {
    it('has the same identity each time it is asked', async () => {
      const stream = await make();
      const identity = await stream.identify(soon());

      expect(identity.arn).toMatch(/^arn:aws:kinesis:/);
      expect(identity.createdMs).toBeGreaterThan(0);
      expect(await stream.identify(soon())).toEqual(identity);
    });

    it('lists no parents of a first shard', async () => {
      expect(await (await make()).parents(0, soon())).toEqual([]);
    });
  });
}

/** A stream's producing side, and what can be read back of it in its order. */
export interface OutletUnderTest {
  readonly outlet: Outlet;
  readonly read: () => Promise<readonly Pick<OutletRecord, 'partitionKey' | 'bytes'>[]>;
}

/** What every producing side of a stream has to do. */
export function outletSuite(name: string, make: () => Promise<OutletUnderTest>): void {
  const records = (count: number): readonly OutletRecord[] =>
    Array.from({ length: count }, (_, index) => ({
      partitionKey: `p-${index % 4}`,
      explicitHashKey: explicitHashKey(index % 4, 4),
      bytes: Buffer.from(`${crypto.randomUUID()} ${index}`),
    }));

  describe(`${name} as an outlet`, () => {
    it('takes any number of records in their order, and tells their places', async () => {
      const { outlet, read } = await make();
      const sent = records(1_101);
      const results = await outlet.send(sent, soon());

      const places = results.map((result) => (result.status === 'taken' ? result : undefined));
      expect(places.every((place) => place !== undefined)).toBe(true);
      const sequences = places.map((place) => place?.sequence ?? '');
      expect([...sequences].sort(compareSequences)).toEqual(sequences);
      expect(new Set(places.map((place) => place?.shard)).size).toBe(1);
      const own = new Set(sent.map(({ bytes }) => String(bytes)));
      const found = (await read()).filter(({ bytes }) => own.has(Buffer.from(bytes).toString()));
      expect(found.map(({ bytes }) => Buffer.from(bytes).toString())).toEqual(
        sent.map(({ bytes }) => String(bytes)),
      );
      expect(found.map(({ partitionKey }) => partitionKey)).toEqual(
        sent.map(({ partitionKey }) => partitionKey),
      );
    });

    it('takes the same record as often as it is sent, with or without a hash key', async () => {
      const { outlet, read } = await make();
      const bytes = Buffer.from(crypto.randomUUID());
      const one = { partitionKey: 'key', bytes };
      await outlet.send([one, { ...one, explicitHashKey: '7' }], soon());
      await outlet.send([one], soon());
      const found = (await read()).filter((record) => Buffer.from(record.bytes).equals(bytes));
      expect(found).toHaveLength(3);
    });

    it('has nothing to do without records', async () => {
      expect(await (await make()).outlet.send([], soon())).toEqual([]);
    });
  });
}

/** What every clock has to do. */
export function clockSuite(name: string, make: () => Clock): void {
  describe(`${name} as a clock`, () => {
    it('has moved on by at least the time that was slept', async () => {
      const clock = make();
      const beforeMs = clock.now();
      await clock.sleep(5);
      // Timers of the system may wake within the millisecond before.
      expect(clock.now() - beforeMs).toBeGreaterThanOrEqual(4);
    });
  });
}

/** What every source of chance has to do. */
export function randomSuite(name: string, make: () => Random): void {
  describe(`${name} as a source of chance`, () => {
    it('gives numbers in [0, 1), spread evenly', () => {
      const random = make();
      const numbers = Array.from({ length: 4_000 }, () => random.next());
      const tenths = Array.from(
        { length: 10 },
        (_, tenth) => numbers.filter((number) => Math.floor(number * 10) === tenth).length,
      );
      expect(Math.min(...numbers)).toBeGreaterThanOrEqual(0);
      expect(Math.max(...numbers)).toBeLessThan(1);
      expect(Math.min(...tenths)).toBeGreaterThan(250);
    });

    it('gives as many bytes as asked', () => {
      expect(make().bytes(16)).toHaveLength(16);
    });
  });
}

/** A publisher, and what was received of it. */
export interface PublisherUnderTest {
  readonly publisher: Publisher;
  /** The events that came until `count` of them were there. */
  receive(count: number): Promise<readonly WindowEvent[]>;
}

/** What every publisher has to do. `make` gives one that nobody else publishes with. */
export function publisherSuite(name: string, make: () => Promise<PublisherUnderTest>): void {
  const event = (number: number, result: WindowEvent['result'] = { events: number }) =>
    ({
      id: `1.hours.2026-11-20T12:00:00.000Z.${number}.1`,
      type: 'window.closed',
      window: 'hours',
      start: '2026-11-20T12:00:00.000Z',
      end: '2026-11-20T13:00:00.000Z',
      group: { place: 'Århus "x"', number },
      result,
      revision: 1,
      replaces: 0,
    }) satisfies WindowEvent;
  const byId = (events: readonly WindowEvent[]) =>
    [...events].sort((left, right) => left.id.localeCompare(right.id, 'en'));

  describe(`${name} as a publisher`, () => {
    it('tells each event whole, and says so of each', async () => {
      const { publisher, receive } = await make();
      const events = Array.from({ length: 23 }, (_, index) => event(index));
      const results = await publisher.publish(events, soon());

      expect(results).toEqual(events.map(() => ({ status: 'written' })));
      expect(byId(await receive(23))).toEqual(byId(events));
    });

    it('tells nothing of nothing', async () => {
      const { publisher } = await make();
      expect(await publisher.publish([], soon())).toEqual([]);
    });

    it('tells a withdrawn row as null', async () => {
      const { publisher, receive } = await make();
      const withdrawn = { ...event(1, null), type: 'window.withdrawn' } as const;
      await publisher.publish([withdrawn], soon());
      expect(await receive(1)).toEqual([withdrawn]);
    });
  });
}
