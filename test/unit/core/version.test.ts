import { describe, expect, it } from 'vitest';
import {
  decodeVersions,
  encodeVersions,
  isMarkerPrint,
  markerPrint,
  printOfEntry,
  turnOf,
  type VersionList,
} from '../../../src/core/version.ts';

const T = 1_000_000;

function list(...prints: string[]): VersionList {
  return { revision: 1, versions: prints.map((print, index) => ({ fromMs: index * T, print })) };
}

const ONE_TWO = list('one', 'two');
const before = { print: 'one', highArrivalMs: T - 100 };

describe('whose turn it is', () => {
  it('is the version before for what arrives before the switch', () => {
    expect(turnOf(ONE_TWO, 'one', before, [T - 50, T - 1])).toEqual({
      type: 'taken',
      enters: false,
      takes: 2,
      leavesTo: undefined,
    });
  });

  it('ends at the first record that arrives at the time of the switch', () => {
    const turn = turnOf(ONE_TWO, 'one', before, [T - 1, T, T - 1]);
    expect(turn).toMatchObject({ takes: 1, leavesTo: 'two' });
    expect(turnOf(ONE_TWO, 'one', before, [T])).toMatchObject({ takes: 0, leavesTo: 'two' });
  });

  it('is the next version from there on, which enters with a marker', () => {
    expect(turnOf(ONE_TWO, 'two', before, [T, T - 1, T + 5])).toEqual({
      type: 'taken',
      enters: true,
      takes: 3,
      leavesTo: undefined,
    });
  });

  it('is not the next version while something before the switch is unread', () => {
    const turn = turnOf(ONE_TWO, 'two', before, [T - 1, T]);
    expect(turn).toMatchObject({ type: 'refused', why: expect.stringContaining('expected one') });
  });

  it('stays with a version that was handed the writer, whatever the arrivals', () => {
    const stand = { print: 'two', highArrivalMs: T - 100 };
    expect(turnOf(ONE_TWO, 'two', stand, [T - 50])).toMatchObject({ enters: false, takes: 1 });
    expect(turnOf(ONE_TWO, 'one', stand, [T - 50])).toMatchObject({ type: 'refused' });
  });

  it('is nobody else’s once the writer has gone on', () => {
    const stand = { print: 'two', highArrivalMs: T + 5 };
    expect(turnOf(ONE_TWO, 'one', stand, [T + 6])).toMatchObject({ type: 'refused' });
  });

  it('is the first version where a writer has no entry and nothing is announced', () => {
    const stand = { print: undefined, highArrivalMs: 0 };
    expect(turnOf(list('one'), 'one', stand, [5])).toMatchObject({ enters: false, takes: 1 });
    expect(turnOf(list('one'), 'two', stand, [5])).toMatchObject({
      type: 'refused',
      why: expect.stringContaining('changed without a switch'),
    });
  });

  it('skips versions that a writer had no records of', () => {
    const three = list('one', 'two', 'three');
    expect(turnOf(three, 'one', before, [2 * T])).toMatchObject({ leavesTo: 'three' });
    expect(turnOf(three, 'three', before, [2 * T])).toMatchObject({ enters: true, takes: 1 });
    expect(turnOf(three, 'two', before, [2 * T])).toMatchObject({ type: 'refused' });
  });

  it('tells a switch and the switch back apart, though the version is the same', () => {
    const back = list('one', 'two', 'one');
    expect(turnOf(back, 'one', before, [T + 1])).toMatchObject({ takes: 0, leavesTo: 'two' });
    expect(turnOf(back, 'one', before, [2 * T])).toMatchObject({ enters: false, takes: 1 });
    const second = { print: 'two', highArrivalMs: T + 5 };
    expect(turnOf(back, 'one', second, [2 * T])).toMatchObject({ enters: true, takes: 1 });
  });

  it('stops where a version decided on what was not its own', () => {
    const overrun = { print: 'one', highArrivalMs: T + 1 };
    for (const own of ['one', 'two']) {
      expect(turnOf(ONE_TWO, own, overrun, [T + 2])).toMatchObject({
        type: 'refused',
        why: expect.stringContaining('announced too late'),
      });
    }
  });

  it('stops at a ledger of a version that nobody announced', () => {
    const unknown = { print: 'other', highArrivalMs: 5 };
    expect(turnOf(ONE_TWO, 'one', unknown, [6])).toMatchObject({
      type: 'refused',
      why: expect.stringContaining('in no announcement'),
    });
  });
});

describe('stored versions', () => {
  it('come back as they were', () => {
    expect(decodeVersions(encodeVersions(ONE_TWO))).toEqual(ONE_TWO);
  });

  it('are never an empty list', () => {
    expect(() => decodeVersions(encodeVersions(list()))).toThrow('empty list');
  });

  it('stand in a fingerprint before the versions of references, or before a marker', () => {
    expect(printOfEntry('one')).toBe('one');
    expect(printOfEntry('one.0a1b')).toBe('one');
    expect(printOfEntry(markerPrint('one'))).toBe('one');
    expect([markerPrint('one'), 'one', 'one.0a1b'].map(isMarkerPrint)).toEqual([
      true,
      false,
      false,
    ]);
  });
});
