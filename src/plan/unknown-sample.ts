import type { AnyPipeline } from '../core/pipeline/types.ts';
import type { Program } from '../core/program.ts';
import type { Sample } from './sample.ts';

/** Bytes of a record where nothing is known. */
const EVENT_BYTES = 300;

/** Groups where the definition doesn't say: src/core/compile-window.ts. */
const GROUPS = 100;

/**
 * What is known of a pipeline without a feed: its definition. Keys and groups come alike, as many as the
 * windows say; each row touches each window.
 */
export function unknownSample(pipeline: AnyPipeline, program: Program): Sample {
  const groupsOf = (name: string) => {
    const window = pipeline.windows[name];
    return window === undefined || window.by.length === 0 ? 1 : (window.groups ?? GROUPS);
  };
  const field = typeof pipeline.key === 'string' ? pipeline.key : undefined;
  const keyed = program.aggregates.filter(({ by }) => field !== undefined && by.includes(field));
  const count = Math.max(1, ...keyed.map(({ name }) => groupsOf(name)));
  const keys = Array.from({ length: count }, (_, index) => `k${index.toString(36)}`);
  return {
    eventBytes: EVENT_BYTES,
    keys: new Map(keys.map((key) => [key, 1 / count])),
    windows: program.aggregates.map((aggregate) => {
      const groups = groupsOf(aggregate.name);
      const own = field !== undefined && aggregate.by.includes(field);
      const pairs = own ? Math.max(groups, count) : groups * Math.min(count, GROUPS);
      return {
        aggregate,
        rows: [],
        shares: Array.from({ length: pairs }, (_, index) => ({
          key: keys[index % count] ?? '',
          group: JSON.stringify(
            aggregate.by.map(() => `g${(own ? index : index % groups).toString(36)}`),
          ),
          weight: 1 / pairs,
        })),
      };
    }),
    events: [],
    derived: program.outputs.length,
  };
}
