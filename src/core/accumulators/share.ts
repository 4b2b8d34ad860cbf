import type { Accumulator } from '../accumulator.ts';
import { listIn, misread, naturalIn } from './stored.ts';

/** How many said true, of how many that said anything. */
export interface ShareState {
  readonly yes: number;
  readonly all: number;
}

/** The share of true among true and false, 0 to 1; null for none. */
export function share(): Accumulator<boolean, ShareState, number | null> {
  return {
    name: 'share-1',
    size: { typical: 4, max: 19 },
    empty: () => ({ yes: 0, all: 0 }),
    add: ({ yes, all }, input) => ({ yes: input ? yes + 1 : yes, all: all + 1 }),
    merge: (left, right) => ({ yes: left.yes + right.yes, all: left.all + right.all }),
    encode: ({ yes, all }) => [yes, all],
    decode: (encoded) => {
      const [yes, all] = listIn('share', encoded, 2).map((part) => naturalIn('share', part));
      if (yes === undefined || all === undefined || yes > all) {
        throw misread('share', encoded, '[true, all]');
      }
      return { yes, all };
    },
    result: ({ yes, all }) => (all === 0 ? null : yes / all),
  };
}
