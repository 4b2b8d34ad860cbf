import type { AnyPipeline } from './pipeline/types.ts';
import type { Aggregate, Program } from './program.ts';

/** How the cells of each window are stored, in words, by the window's name. */
export type Shapes = Readonly<Record<string, string>>;

/** A version of a pipeline, as its deployment tells it: what another version is compared with. */
export interface VersionFacts {
  /** The program's fingerprint. */
  readonly print: string;
  /** Logical partitions, or `shard`. */
  readonly partitions: number | 'shard';
  /** How single events are kept, in words. */
  readonly events: string;
  /** What has to stay the same where one version goes on with the cells of another. */
  readonly windows: Shapes;
}

/** The facts of a version. @param program as it was compiled of the pipeline */
export function versionFacts(pipeline: AnyPipeline, program: Program): VersionFacts {
  const { partitions, events, retention } = program.settings;
  const windows = program.aggregates.map((aggregate) => [
    aggregate.name,
    shapeOf(aggregate, pipeline.windows[aggregate.name]?.keep ?? {}),
  ]);
  return {
    print: program.fingerprint,
    partitions,
    events: retention.eventsMs === null ? 'not kept' : `kept ${events.layout}`,
    windows: Object.fromEntries(windows),
  };
}

type Definitions = AnyPipeline['windows'][string]['keep'];

function shapeOf(aggregate: Aggregate, definitions: Definitions): string {
  const { type, gapMs, by, columns, layout } = aggregate;
  const [span] = aggregate.assign(0);
  const sizeMs = span === undefined ? 0 : span.endMs - span.startMs;
  const kept = columns.map(({ name, accumulator }) => {
    // A histogram's state is a count a bound; the states of all others don't depend on their options.
    const bounds = definitions[name]?.options?.bounds;
    return `${name} ${accumulator.name}${bounds === undefined ? '' : ` of ${bounds.join(' ')}`}`;
  });
  return [
    `${type} of ${seconds(sizeMs)} every ${seconds(layout.gridMs)}`,
    ...(gapMs === 0 ? [] : [`gap ${seconds(gapMs)}`]),
    `by ${by.length === 0 ? 'nothing' : by.join(', ')}`,
    `keeps ${kept.join(', ')}`,
    `blocks of ${layout.windows}, ${layout.buckets} buckets`,
  ].join('; ');
}

function seconds(ms: number): string {
  return `${ms / 1000} s`;
}

/** What a new version does to a window. */
export interface WindowChange {
  readonly window: string;
  /** `kept`: goes on in the same cells; `new`, `gone`: allowed by a switch; `changed`: takes a new generation. */
  readonly change: 'kept' | 'new' | 'gone' | 'changed';
  /** The shape, where there is such a window. */
  readonly before: string | undefined;
  readonly after: string | undefined;
}

/** What a new version changes. */
export interface VersionChange {
  /** Those of the new version first, in its order. */
  readonly windows: readonly WindowChange[];
  /** What a switch can't do, in words; none where it can. */
  readonly refusals: readonly string[];
}

/** Compares what two versions store. */
export function compareVersions(before: VersionFacts, after: VersionFacts): VersionChange {
  const names = [...new Set([...Object.keys(after.windows), ...Object.keys(before.windows)])];
  const windows = names.map((window): WindowChange => {
    const [old, now] = [before.windows[window], after.windows[window]];
    return { window, change: changeOf(old, now), before: old, after: now };
  });
  const changed = windows
    .filter(({ change }) => change === 'changed')
    .map((one) => `window ${one.window}: got '${one.after}', expected '${one.before}'`);
  const partitions =
    before.partitions === after.partitions
      ? []
      : [
          `partitions: got ${after.partitions}, expected ${before.partitions}, as the stream was made with`,
        ];
  const bothKept = ![before.events, after.events].includes('not kept');
  const events =
    before.events === after.events || !bothKept
      ? []
      : [`events: got '${after.events}', expected '${before.events}'`];
  return { windows, refusals: [...partitions, ...events, ...changed] };
}

function changeOf(before: string | undefined, after: string | undefined): WindowChange['change'] {
  if (before === undefined) return 'new';
  if (after === undefined) return 'gone';
  return before === after ? 'kept' : 'changed';
}
