import { expect, it } from 'vitest';
import { makeSeededRandom } from '../../../src/adapters/memory/random.ts';
import { DEFAULT_POLICIES, policiesFromRandom } from '../../../src/mapping/policies.ts';

it('draws every policy, the same ones from the same seed', () => {
  const draws = Array.from({ length: 200 }, (_, seed) => {
    const random = makeSeededRandom(seed);
    return policiesFromRandom(() => random.next());
  });
  const again = makeSeededRandom(7);

  expect(policiesFromRandom(() => again.next())).toEqual(draws[7]);
  for (const name of Object.keys(DEFAULT_POLICIES)) {
    const values = new Set(draws.map((policies) => Reflect.get(policies, name)));
    expect(values.size, name).toBeGreaterThan(1);
  }
  for (const { backOffFirstMs, backOffMaxMs } of draws) {
    expect(backOffMaxMs).toBeGreaterThanOrEqual(backOffFirstMs);
  }
});

it('draws the same number of times whatever comes, so that what is drawn after it stays the same', () => {
  const counts = [0, 0.3, 0.999].map((value) => {
    let count = 0;
    policiesFromRandom(() => {
      count += 1;
      return value;
    });
    return count;
  });

  expect(new Set(counts)).toEqual(new Set([Object.keys(DEFAULT_POLICIES).length]));
});
