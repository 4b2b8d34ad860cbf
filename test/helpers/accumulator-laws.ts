import fc from 'fast-check';
import { expect, it } from 'vitest';
import { makeSeededRandom } from '../../src/adapters/memory/random.ts';
import type { Accumulator, Encoded } from '../../src/core/accumulator.ts';
import { readValue, writeValue } from '../../src/core/value-codec.ts';
import { ByteReader, ByteWriter } from '../../src/core/varint.ts';

/** One call of `add`. */
export interface Folded<Input> {
  readonly input: Input;
  readonly at: number;
  readonly id: string;
}

type Own<Input> = Accumulator<Input, unknown, unknown>;

/** A state as it is stored. */
export function stored(accumulator: Own<never>, state: unknown): Uint8Array {
  const writer = new ByteWriter();
  writeValue(writer, accumulator.encode(state));
  return writer.finish();
}

/** The state of a stored form. */
export function restored(accumulator: Own<never>, bytes: Uint8Array): unknown {
  return accumulator.decode(readValue(new ByteReader(bytes)) as Encoded);
}

/** Folds events one after the other. */
export function fold<Input, State>(
  accumulator: Accumulator<Input, State, unknown>,
  events: readonly Folded<Input>[],
): State {
  return events.reduce(
    (state, { input, at, id }) => accumulator.add(state, input, at, id),
    accumulator.empty(),
  );
}

/** Events of inputs, a second apart. */
export function eventsOf<Input>(inputs: readonly Input[]): readonly Folded<Input>[] {
  return inputs.map((input, index) => ({ input, at: index * 1_000, id: `e${index}` }));
}

/** Folds events in some order, in some parts that are merged in some order; some parts are stored in between. */
export function foldSomehow<Input>(
  accumulator: Own<Input>,
  events: readonly Folded<Input>[],
  seed: number,
): unknown {
  const random = makeSeededRandom(seed);
  const below = (count: number) => Math.floor(random.next() * count);
  const left = [...events];
  const shuffled = events.flatMap(() => left.splice(below(left.length), 1));
  const states = [accumulator.empty()];
  while (shuffled.length > 0) {
    const part = fold(accumulator, shuffled.splice(0, 1 + below(shuffled.length)));
    states.push(random.next() < 0.5 ? part : restored(accumulator, stored(accumulator, part)));
  }
  while (states.length > 1) {
    const [one, other] = [
      states.splice(below(states.length), 1),
      states.splice(below(states.length), 1),
    ];
    states.push(accumulator.merge(one[0], other[0]));
  }
  return states[0];
}

/** Says that two states are the same to the last bit, and so are their results. */
export function expectEqualStates(accumulator: Own<never>, state: unknown, other: unknown): void {
  expect(stored(accumulator, state)).toEqual(stored(accumulator, other));
  expect(accumulator.result(state)).toEqual(accumulator.result(other));
}

/** What the laws are tried on. */
export interface LawCase<Input> {
  readonly accumulator: Own<Input>;
  readonly input: fc.Arbitrary<Input>;
  /** Events of one try; default up to 40. */
  readonly eventsMax?: number;
}

/** The laws that `Accumulator` names, as tests. */
export function itHoldsTheLaws<Input>({
  accumulator,
  input,
  eventsMax = 40,
}: LawCase<Input>): void {
  const event = fc.record({
    input,
    at: fc.integer({ min: 0, max: 5_000 }),
    id: fc.constantFrom('a', 'b', 'c', 'urn:x 17'),
  });
  const events = fc.array(event, { maxLength: eventsMax });
  const folded = events.map((some) => () => fold(accumulator, some));

  it('takes the empty state as neutral', () => {
    fc.assert(
      fc.property(folded, (make) => {
        expectEqualStates(accumulator, accumulator.merge(accumulator.empty(), make()), make());
        expectEqualStates(accumulator, accumulator.merge(make(), accumulator.empty()), make());
      }),
    );
  });

  it('merges associatively and commutatively', () => {
    fc.assert(
      fc.property(folded, folded, folded, (x, y, z) => {
        const { merge } = accumulator;
        expectEqualStates(accumulator, merge(merge(x(), y()), z()), merge(x(), merge(y(), z())));
        expectEqualStates(accumulator, merge(x(), y()), merge(y(), x()));
      }),
    );
  });

  it('gives the same to the bit in any order, any split and any tree of merges', () => {
    fc.assert(
      fc.property(events, fc.integer(), (some, seed) => {
        const whole = fold(accumulator, some);
        expectEqualStates(accumulator, foldSomehow(accumulator, some, seed), whole);
      }),
    );
  });

  it('leaves what it merges as it was', () => {
    fc.assert(
      fc.property(folded, folded, (x, y) => {
        const [left, right] = [x(), y()];
        accumulator.merge(left, right);
        expectEqualStates(accumulator, left, x());
        expectEqualStates(accumulator, right, y());
      }),
    );
  });

  it('comes back from its stored form as it was, and goes on from there', () => {
    fc.assert(
      fc.property(events, event, (some, { input: next, at, id }) => {
        const back = restored(accumulator, stored(accumulator, fold(accumulator, some)));
        expectEqualStates(accumulator, back, fold(accumulator, some));
        const on = accumulator.add(back, next, at, id);
        const straight = fold(accumulator, [...some, { input: next, at, id }]);
        expectEqualStates(accumulator, on, straight);
      }),
    );
  });

  it('stays within the size that it promises', () => {
    fc.assert(
      fc.property(folded, (make) => {
        expect(stored(accumulator, make()).length).toBeLessThanOrEqual(
          accumulator.size?.max ?? Number.NaN,
        );
      }),
    );
  });

  it.each([[{}], ['no such state'], [[true]], [true], [new Uint8Array([255])], [undefined]])(
    'refuses the stored form %j',
    (wrong) => {
      expect(() => accumulator.decode(wrong as never)).toThrow();
    },
  );
}
