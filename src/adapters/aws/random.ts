import { randomBytes } from 'node:crypto';
import type { Random } from '../../ports/random.ts';

/** The machine's randomness; bytes come from its cryptographic source. */
export const systemRandom: Random = {
  next: () => Math.random(),
  bytes: (count) => new Uint8Array(randomBytes(count)),
};
