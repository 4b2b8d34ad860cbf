import type { WindowSpan } from './program.ts';

/**
 * The tumbling window that a time falls into: [start, end) with starts at whole multiples of the size
 * since 1970 UTC. Times before 1970 fall into windows of the same grid.
 *
 * @param timeMs whole milliseconds since 1970 UTC
 * @param sizeMs whole milliseconds, more than 0
 */
export function tumblingSpan(timeMs: number, sizeMs: number): WindowSpan {
  const startMs = Math.floor(timeMs / sizeMs) * sizeMs;
  return { startMs, endMs: startMs + sizeMs };
}

/**
 * The hopping windows that a time falls into, `size / every` of them, in the order of their starts.
 *
 * @param timeMs whole milliseconds since 1970 UTC
 * @param everyMs distance between two starts; divides the size
 */
export function hoppingSpans(
  timeMs: number,
  { sizeMs, everyMs }: { readonly sizeMs: number; readonly everyMs: number },
): readonly WindowSpan[] {
  const last = tumblingSpan(timeMs, everyMs).startMs;
  return Array.from({ length: sizeMs / everyMs }, (_, index) => {
    const startMs = last - sizeMs + everyMs * (index + 1);
    return { startMs, endMs: startMs + sizeMs };
  });
}
