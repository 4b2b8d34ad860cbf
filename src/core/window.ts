import type { WindowSpan } from './program.ts';

/**
 * The tumbling window that a time falls into: [start, end) with starts at whole multiples of the size
 * since 1970 UTC, plus an offset. Times before 1970 fall into windows of the same grid.
 *
 * @param timeMs whole milliseconds since 1970 UTC
 * @param sizeMs whole milliseconds, more than 0
 */
export function tumblingSpan(timeMs: number, sizeMs: number, offsetMs = 0): WindowSpan {
  const startMs = Math.floor((timeMs - offsetMs) / sizeMs) * sizeMs + offsetMs;
  return { startMs, endMs: startMs + sizeMs };
}
