import { describe, expect, it } from 'vitest';
import { makeSeededRandom } from '../../../src/adapters/memory/random.ts';
import { Dice } from '../../../src/sim/dice.ts';
import { type FaultName, NO_FAULTS, onlyFaults } from '../../../src/sim/faults.ts';
import { Weather } from '../../../src/sim/weather.ts';

function makeDice(faults: readonly FaultName[], keep?: ReadonlySet<number>) {
  const rates = Object.fromEntries(faults.map((name) => [name, 1]));
  return new Dice({
    seed: 1,
    random: makeSeededRandom(1),
    rates: () => ({ ...NO_FAULTS, ...rates }),
    keep,
    onHit: () => undefined,
  });
}

describe('the weather', () => {
  it('throttles a partition beyond a thousand write units a second, and no other', () => {
    const weather = new Weather();
    for (let unit = 0; unit < 1_000; unit += 1) {
      expect(weather.takes('ledger', 'write', 'a', 0)).toBe(true);
      weather.spend('ledger', 'write', 'a', 1);
    }
    expect(weather.takes('ledger', 'write', 'a', 0)).toBe(false);
    expect(weather.takes('ledger', 'write', 'b', 0)).toBe(true);
    expect(weather.takes('ledger', 'read', 'a', 0)).toBe(true);
    expect(weather.takes('ledger', 'write', 'a', 10)).toBe(true);
  });

  it('refuses what is encrypted while KMS is out', () => {
    const weather = new Weather();
    weather.change(makeDice(['kms']), 0);
    expect(weather.refuses(0, 'ledger', true)).toBe('kms');
    expect(weather.refuses(0, 'stream', false)).toBeUndefined();
    expect(weather.refuses(20_000, 'ledger', true)).toBeUndefined();
  });
});

describe('the dice', () => {
  it('hit each await once with a fault that the seed names, where its rate is not 0', () => {
    const dice = new Dice({
      seed: 5,
      random: makeSeededRandom(1),
      rates: () => ({ ...onlyFaults(['refuse', 'loseAnswer']), refuse: 1e-9, loseAnswer: 1e-9 }),
      keep: undefined,
      onHit: () => undefined,
    });
    const steps = Array.from({ length: 60 }, (_, index) => `step ${index}`);
    const first = steps.filter((step) => dice.oneOf(['refuse', 'loseAnswer'], step) !== undefined);
    const second = steps.filter((step) => dice.oneOf(['refuse', 'loseAnswer'], step) !== undefined);
    expect(first.length).toBeGreaterThan(5);
    expect(second).toEqual([]);
  });

  it('pass over the hits that are not kept, and number them all the same', () => {
    const dice = makeDice(['outage'], new Set([2]));
    const struck = [1, 2, 3].map(() => dice.strikes('outage'));
    expect(struck).toEqual([false, true, false]);
    expect(dice.faults).toBe(1);
  });
});
