import { murmur3 } from '../core/hash.ts';

const utf8 = new TextEncoder();

/** A number in (0, 1) that follows from a name alone, spread evenly: a plan is the same in every run. */
export function chanceOf(name: string): number {
  return (murmur3(utf8.encode(name)) + 0.5) / 2 ** 32;
}
