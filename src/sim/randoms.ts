import { makeSeededRandom } from '../adapters/memory/random.ts';
import { murmur3 } from '../core/hash.ts';
import type { Random } from '../ports/random.ts';

/** Who draws: each has numbers of its own, so that one more draw of one moves no other. */
export type Drawer =
  | 'faults'
  | `fault ${string}`
  | 'handlers'
  | 'policies'
  | 'producer'
  | 'stream'
  | 'acts'
  | 'rollout'
  | 'closers';

const utf8 = new TextEncoder();

/** The generator of one drawer of a seed. */
export function randomOf(seed: number, drawer: Drawer): Random {
  return makeSeededRandom(murmur3(utf8.encode(`${seed} ${drawer}`)));
}

/** A whole number from 0 to count - 1. */
export function below(random: Random, count: number): number {
  return Math.floor(random.next() * count);
}

/** One of the choices. */
export function pick<Choice>(random: Random, choices: readonly [Choice, ...Choice[]]): Choice {
  return choices[below(random, choices.length)] ?? choices[0];
}
