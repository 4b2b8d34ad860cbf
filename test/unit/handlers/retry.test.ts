import { describe, expect, it } from 'vitest';
import { makeSkippingClock } from '../../../src/adapters/memory/clock.ts';
import { makeSeededRandom } from '../../../src/adapters/memory/random.ts';
import { compile } from '../../../src/core/compile.ts';
import { InvariantError, TransientError } from '../../../src/core/errors.ts';
import { forEachBounded } from '../../../src/handlers/bounded.ts';
import { cellTtlSeconds, entryLifeMs, entryTtlSeconds } from '../../../src/handlers/lifetimes.ts';
import { Reserve } from '../../../src/handlers/reserve.ts';
import { ATTEMPTS_MAX, pause, retryCall, retryFailed } from '../../../src/handlers/retry.ts';
import { smallPipeline } from '../../helpers/small-pipeline.ts';

function contextOf(deadlineMs = 1_000_000) {
  return { clock: makeSkippingClock(0), random: makeSeededRandom(1), deadlineMs };
}

describe('pauses', () => {
  it('have full jitter: anything from nothing to a bound that doubles up to two seconds', async () => {
    const bounds = await Promise.all(
      [1, 2, 4, 8].map(async (attempt) => {
        const context = {
          ...contextOf(),
          random: { next: () => 0.999, bytes: () => new Uint8Array() },
        };
        await pause(context, attempt);
        return context.clock.now();
      }),
    );
    expect(bounds).toEqual([49, 99, 399, 1998]);
  });

  it('are not begun where the deadline would pass in them', async () => {
    const context = contextOf(1);
    context.random.next = () => 0.5;
    expect(await pause(context, 1)).toBe(false);
    expect(context.clock.now()).toBe(0);
  });
});

describe('retryCall', () => {
  it('repeats what is transient until it works', async () => {
    let calls = 0;
    const answer = await retryCall(contextOf(), async () => {
      calls += 1;
      if (calls < 4) throw new TransientError('again');
      return 'done';
    });
    expect([answer, calls]).toEqual(['done', 4]);
  });

  it('throws at once what is not transient, and in the end what is', async () => {
    let calls = 0;
    const failing = (error: Error) => async () => {
      calls += 1;
      throw error;
    };
    await expect(retryCall(contextOf(), failing(new InvariantError('no')))).rejects.toThrow('no');
    expect(calls).toBe(1);
    await expect(retryCall(contextOf(), failing(new TransientError('again')))).rejects.toThrow(
      'again',
    );
    expect(calls).toBe(1 + ATTEMPTS_MAX);
  });
});

describe('retryFailed', () => {
  it('sends only what failed again, and answers in the order of the inputs', async () => {
    const sent: number[][] = [];
    const results = await retryFailed(contextOf(), [1, 2, 3], async (inputs) => {
      sent.push([...inputs]);
      return inputs.map((input) => ({
        status: input % 2 === 0 && sent.length < 3 ? 'failed' : 'ok',
        input,
      }));
    });
    expect(sent).toEqual([[1, 2, 3], [2], [2]]);
    expect(results.map(({ input, status }) => [input, status])).toEqual([
      [1, 'ok'],
      [2, 'ok'],
      [3, 'ok'],
    ]);
  });

  it('gives back what failed in the end', async () => {
    const results = await retryFailed(contextOf(10), [1], async () => [{ status: 'failed' }]);
    expect(results).toEqual([{ status: 'failed' }]);
  });
});

describe('the reserve', () => {
  it('is two seconds at least, three times the slow writes, a third of the time at most', () => {
    const reserve = new Reserve();
    expect(reserve.budget(0, 60_000)).toEqual({
      stopMs: 58_000,
      deadlineMs: 59_500,
      invocationMs: 60_000,
    });
    for (let sample = 0; sample < 100; sample += 1) reserve.observe(3_000);
    expect(reserve.budget(0, 60_000).stopMs).toBe(51_000);
    for (let sample = 0; sample < 100; sample += 1) reserve.observe(30_000);
    expect(reserve.budget(0, 60_000).stopMs).toBe(40_000);
    expect(reserve.budget(0, 3_000)).toEqual({
      stopMs: 2_000,
      deadlineMs: 2_700,
      invocationMs: 3_000,
    });
  });
});

describe('lifetimes', () => {
  const { settings, aggregates } = compile(smallPipeline);
  const [places] = aggregates;

  it('an entry lives longer than any record that it may have to recognise', () => {
    expect(entryLifeMs(settings)).toBeGreaterThan(settings.horizonMs + settings.retention.streamMs);
    expect(entryTtlSeconds(settings, 10, 5)).toBe(entryTtlSeconds(settings, 5, 10));
  });

  it('a cell lives while an event for it can still come, and at least its retention', () => {
    if (places === undefined) throw new Error('no window');
    const ttl = cellTtlSeconds(settings, places, { endMs: 0, nowMs: 1_000 });
    expect(ttl * 1000).toBeGreaterThanOrEqual(1_000 + places.retentionMs);
    const short = cellTtlSeconds(settings, { ...places, retentionMs: 1 }, { endMs: 0, nowMs: 0 });
    expect(short * 1000).toBeGreaterThan(places.latenessMs + settings.retention.streamMs);
  });
});

describe('forEachBounded', () => {
  it('runs at most so many at once, and all of them also when one fails', async () => {
    let running = 0;
    let most = 0;
    const done: number[] = [];
    const run = forEachBounded([1, 2, 3, 4, 5], 2, async (input) => {
      running += 1;
      most = Math.max(most, running);
      await Promise.resolve();
      running -= 1;
      done.push(input);
      if (input === 2) throw new Error('two');
    });
    await expect(run).rejects.toThrow('two');
    expect(most).toBe(2);
    expect(done.sort()).toEqual([1, 2, 3, 4, 5]);
  });
});
