import type { ArchiveInterval } from './archive-object.ts';
import { compareSequences } from './position.ts';

/**
 * Which positions of a shard are archived, and which are missing.
 *
 * Sequence numbers are not dense: of two objects, first and last alone don't tell whether there was a
 * record between them. Therefore an object names what it follows: it holds every record of
 * (after, last]. Objects that were written one after the other share an end, so that a missing one
 * leaves an interval uncovered, and the calculus below needs nothing but names.
 */

/** Positions that are not archived. */
export interface ArchiveGap {
  /** The record before the gap, which is archived; undefined: the gap starts with the shard's first. */
  readonly after: string | undefined;
  /**
   * Certain: the gap's last record, which was archived once. Else the first record after the gap: there
   * may have been records before it, which the stream no longer had when the archiver came.
   */
  readonly until: string;
  readonly certain: boolean;
}

/** What must be archived of a shard; undefined where it isn't known. */
export interface ExpectedCoverage {
  /** The first record that ever was. */
  readonly first?: string | undefined;
  /** The last one. */
  readonly last?: string | undefined;
}

/** The intervals in their order, those that overlap or meet made one. */
export function mergeIntervals(intervals: readonly ArchiveInterval[]): readonly ArchiveInterval[] {
  const merged: ArchiveInterval[] = [];
  for (const interval of [...intervals].sort(compareStarts)) {
    const previous = merged.at(-1);
    if (previous === undefined || !meets(previous, interval)) merged.push(interval);
    else if (compareSequences(interval.last, previous.last) > 0) {
      merged[merged.length - 1] = { ...previous, last: interval.last };
    }
  }
  return merged;
}

/** The gaps between what is archived, and before and after it where more is expected. */
export function gapsOf(
  intervals: readonly ArchiveInterval[],
  { first, last }: ExpectedCoverage = {},
): readonly ArchiveGap[] {
  const merged = mergeIntervals(intervals);
  const gaps: ArchiveGap[] = [];
  const [start] = merged;
  if (start !== undefined && first !== undefined && !reachesBack(start, first)) {
    gaps.push(gapBefore(undefined, start));
  }
  for (const [index, interval] of merged.slice(1).entries()) {
    gaps.push(gapBefore(merged[index]?.last, interval));
  }
  const end = merged.at(-1)?.last;
  if (last !== undefined && (end === undefined || compareSequences(end, last) < 0)) {
    gaps.push({ after: end, until: last, certain: true });
  }
  return gaps;
}

/** The gap in front of an interval that does not meet what is before it. */
export function gapBefore(after: string | undefined, interval: ArchiveInterval): ArchiveGap {
  return interval.after === undefined
    ? { after, until: interval.first, certain: false }
    : { after, until: interval.after, certain: true };
}

/** True when there can't be a record between the end of what is before and the interval's first one. */
export function meets(before: { readonly last: string }, interval: ArchiveInterval): boolean {
  return compareSequences(interval.after ?? interval.first, before.last) <= 0;
}

/** By where they start, the one that reaches further first. */
export function compareStarts(left: ArchiveInterval, right: ArchiveInterval): number {
  return (
    compareSequences(startOf(left), startOf(right)) ||
    Number(left.after !== undefined) - Number(right.after !== undefined) ||
    compareSequences(right.last, left.last)
  );
}

function startOf({ after, first }: ArchiveInterval): string {
  return after ?? first;
}

function reachesBack({ after, first }: ArchiveInterval, expected: string): boolean {
  return after === undefined
    ? compareSequences(first, expected) <= 0
    : compareSequences(after, expected) < 0;
}
