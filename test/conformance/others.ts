import { describe, expect, it } from 'vitest';
import type { Bucket } from '../../src/ports/bucket.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { Random } from '../../src/ports/random.ts';
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
