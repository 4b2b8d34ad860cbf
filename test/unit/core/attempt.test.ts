import { describe, expect, it } from 'vitest';
import { type Attempt, type AttemptSituation, nextAttempt } from '../../../src/core/attempt.ts';

const at = (index: number) => `0:${100 + index}:0`;

function situation(over: Partial<AttemptSituation> = {}): AttemptSituation {
  return {
    writer: 'w',
    owner: 'o',
    stored: undefined,
    base: '',
    records: 8,
    positionAt: at,
    suspected: false,
    nowMs: 1_000_000,
    invocationMs: 60_000,
    ttlSeconds: 1,
    ...over,
  };
}

/** Tries that die while they compute, one after the other; the last that was begun. */
function dying(times: number, over: Partial<AttemptSituation> = {}) {
  let stored: Attempt | undefined;
  let next = nextAttempt(situation(over));
  for (let time = 0; time < times; time += 1) {
    stored = next.attempt;
    next = nextAttempt(situation({ nowMs: 1_000_000 + 100_000 * (time + 1), ...over, stored }));
  }
  return next;
}

describe('the next try of a lagging writer', () => {
  it('takes everything at first, and suspects nobody', () => {
    expect(dying(0)).toMatchObject({
      take: 8,
      quarantineFirst: false,
      attempt: { phase: 'computing', deaths: 0, suspectThrough: '', revision: 1 },
    });
  });

  it('halves what it takes after every second death', () => {
    expect([1, 2, 4, 6].map((times) => dying(times).take)).toEqual([8, 4, 2, 1]);
  });

  it('quarantines a single record after three deaths of its own', () => {
    const alone = { records: 1 };
    expect([0, 1, 2, 3].map((times) => dying(times, alone).quarantineFirst)).toEqual([
      false,
      false,
      false,
      true,
    ]);
  });

  it('waits with the quarantine until no other try can still be running', () => {
    const stored = { ...dying(2, { records: 1 }).attempt, firstMs: 1_000_000 };
    const soon = situation({ records: 1, stored, nowMs: 1_000_000 + 59_999 });
    expect(nextAttempt(soon).quarantineFirst).toBe(false);
    expect(nextAttempt({ ...soon, nowMs: 1_000_000 + 60_000 }).quarantineFirst).toBe(true);
  });

  it('counts no death of a try that came to writing', () => {
    const stored: Attempt = { ...dying(0).attempt, phase: 'writing', computedThrough: at(7) };
    expect(nextAttempt(situation({ stored })).attempt.deaths).toBe(0);
  });

  it('never quarantines a record that was computed once', () => {
    const stored: Attempt = {
      ...dying(2, { records: 1 }).attempt,
      firstMs: 0,
      deaths: 9,
      computedThrough: at(0),
    };
    expect(nextAttempt(situation({ records: 1, stored })).quarantineFirst).toBe(false);
  });

  it('keeps the smaller range until everything suspected is behind', () => {
    const stored = dying(4).attempt;
    const moved = situation({ base: at(1), stored, records: 6, suspected: true });
    expect(nextAttempt(moved).take).toBe(2);
    expect(nextAttempt({ ...moved, suspected: false }).take).toBe(6);
  });
});
