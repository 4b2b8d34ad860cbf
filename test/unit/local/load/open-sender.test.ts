import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { makeSeededRandom } from '../../../../src/adapters/memory/random.ts';
import { Arrivals } from '../../../../src/local/load/arrivals.ts';
import { OpenSender } from '../../../../src/local/load/open-sender.ts';
import type { SentEvent } from '../../../../src/local/load/results-watch.ts';
import type { Outlet, OutletRecord, SendResult } from '../../../../src/ports/outlet.ts';

function sender(outlet: Outlet, { rate = 2_000, giveUpMs = 5_000 } = {}) {
  const startMs = Date.now();
  const taken: { readonly event: SentEvent; readonly takenMs: number }[] = [];
  let made = 0;
  const open = new OpenSender({
    arrivals: new Arrivals({ startMs, rate, seconds: 0.3, random: makeSeededRandom(3) }),
    outlet,
    event: () => {
      made += 1;
      return { bytes: Buffer.from(String(made)), key: 'k', partition: made % 2, timeMs: 0 };
    },
    partitions: 2,
    epoch: 'e',
    signal: new AbortController().signal,
    giveUpMs: startMs + giveUpMs,
    onTaken: (event, takenMs) => taken.push({ event, takenMs }),
  });
  return { open, taken };
}

function takes(): { readonly outlet: Outlet; readonly records: OutletRecord[] } {
  const records: OutletRecord[] = [];
  const take = (record: OutletRecord): SendResult => {
    records.push(record);
    return { status: 'taken', shard: 'shardId-000000000000', sequence: `0${records.length}` };
  };
  return { records, outlet: { send: async (some) => some.map(take) } };
}

it('everything that is due is sent once, with its place in its writer', async () => {
  const { outlet, records } = takes();
  const { open, taken } = sender(outlet);
  const { offered, refused } = await open.run();
  expect(refused).toBe(0);
  expect(new Set(records.map(({ bytes }) => String(bytes))).size).toBe(offered);
  expect(taken).toHaveLength(offered);
  expect(taken[0]?.event).toMatchObject({
    writer: 'e.p1',
    position: { shard: 0, sequence: '1', index: 0 },
  });
});

it('what is refused is sent again, the same bytes, and ages from when it was due', async () => {
  const { outlet, records } = takes();
  let refusals = 20;
  const { open, taken } = sender({
    send: async (some, options) => {
      if (refusals === 0) return outlet.send(some, options);
      refusals -= 1;
      return some.map(() => ({ status: 'failed', error: new Error('full') }));
    },
  });
  const { offered, refused } = await open.run();
  expect(refused).toBeGreaterThan(0);
  expect(new Set(records.map(({ bytes }) => String(bytes))).size).toBe(offered);
  const [longest] = taken.map(({ event, takenMs }) => takenMs - event.dueMs).sort((a, b) => b - a);
  // At most one request a pause is refused.
  expect(longest).toBeGreaterThanOrEqual(100);
});

it('an outlet that answers slowly holds nothing up until 32 requests are on their way', async () => {
  const { outlet } = takes();
  let atOnce = 0;
  let most = 0;
  const { open } = sender({
    send: async (some, options) => {
      atOnce += 1;
      most = Math.max(most, atOnce);
      await delay(400);
      atOnce -= 1;
      return outlet.send(some, options);
    },
  });
  const { offered, taken } = await open.run();
  expect(taken).toBe(offered);
  expect(most).toBeGreaterThan(4);
  expect(most).toBeLessThanOrEqual(32);
});

it('what can not be sent in time is counted, not waited for', async () => {
  const { open } = sender(
    { send: async (some) => some.map(() => ({ status: 'failed', error: new Error('full') })) },
    { giveUpMs: 600 },
  );
  const { offered, taken } = await open.run();
  expect(offered).toBeGreaterThan(400);
  expect(taken).toBe(0);
});
