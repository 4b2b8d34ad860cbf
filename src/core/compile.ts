import { reader, TransformError } from './compile-field.ts';
import { compileWindow } from './compile-window.ts';
import { durationMs } from './duration.ts';
import { DefinitionError } from './errors.ts';
import { hashKeyOf, sipHash } from './hash.ts';
import type { AnyPipeline, Step } from './pipeline/types.ts';
import type { Program, ProgramSettings } from './program.ts';
import { indexReference } from './reference.ts';
import { validateWith } from './schema.ts';

/** The raw rows of each reference, by its name. */
export type ReferenceRows = ReadonlyMap<string, readonly unknown[]>;

/**
 * Makes a pipeline ready to run.
 *
 * @throws DefinitionError when a reference is missing or has a bad row
 */
export function compile(pipeline: AnyPipeline, references: ReferenceRows = new Map()): Program {
  const settings = settingsOf(pipeline);
  const read = (path: string, of: string | ((event: never) => unknown)) =>
    reader(`${pipeline.name}.${path}`, of);
  const id = pipeline.id === undefined ? () => undefined : read('id', pipeline.id);
  const key = read('key', pipeline.key);
  const time = read('time', pipeline.time);
  return {
    name: pipeline.name,
    fingerprint: fingerprintOf(pipeline, references),
    format: pipeline.format,
    settings,
    aggregates: Object.entries(pipeline.windows).map(([name, window]) =>
      compileWindow({ pipeline, name, window }),
    ),
    validate: (data) => validateWith(`${pipeline.name}.schema`, pipeline.schema, data),
    idOf: (event) => idIn(pipeline.name, id(event)),
    keyOf: (event) => keyIn(pipeline.name, key(event)),
    timeOf: (event) => timeIn(pipeline.name, time(event)),
    transform: transformOf(pipeline, references),
  };
}

function settingsOf(pipeline: AnyPipeline): ProgramSettings {
  const { retention } = pipeline;
  return {
    partitions: pipeline.partitions,
    events: pipeline.events,
    horizonMs: durationMs('deduplication', pipeline.deduplication),
    futureMs: 300_000,
    retention: {
      streamMs: durationMs('stream', retention.stream),
      windowsMs: durationMs('windows', retention.windows),
      eventsMs: retention.events === null ? null : durationMs('events', retention.events),
      quarantineMs: durationMs('quarantine', retention.quarantine),
      archiveMs: retention.archive === null ? null : durationMs('archive', retention.archive),
    },
  };
}

const FINGERPRINT_KEY = hashKeyOf(new TextEncoder().encode('millrace print 1'));

/**
 * Over the definition's JSON and the reference rows. Functions can't be compared across bundles, so a
 * changed function alone doesn't change it.
 */
function fingerprintOf(pipeline: AnyPipeline, references: ReferenceRows): string {
  const { schema: _schema, ...rest } = pipeline;
  const json = JSON.stringify([rest, [...references]], (_key, value: unknown) =>
    typeof value === 'function' ? 'function' : value,
  );
  const { high, low } = sipHash(FINGERPRINT_KEY, new TextEncoder().encode(json));
  return high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0');
}

function idIn(name: string, id: unknown): string | undefined {
  if (id === undefined || id === null) return undefined;
  if (typeof id === 'string' && id !== '') return id;
  throw new TransformError(`${name}.id`, id, 'a non-empty text');
}

function keyIn(name: string, key: unknown): string {
  if (typeof key === 'string') return key;
  if (typeof key === 'number' && Number.isFinite(key)) return String(key);
  throw new TransformError(`${name}.key`, key, 'a text or a finite number');
}

function timeIn(name: string, time: unknown): number {
  const ms = time instanceof Date ? time.getTime() : time;
  if (typeof ms === 'number' && Number.isFinite(ms)) return Math.floor(ms);
  throw new TransformError(`${name}.time`, time, 'a valid Date, or milliseconds since 1970');
}

type Run = (rows: readonly unknown[]) => readonly unknown[];

function transformOf(pipeline: AnyPipeline, references: ReferenceRows): Program['transform'] {
  const runs = pipeline.steps.map((step, index) =>
    runOf(`${pipeline.name}.transform[${index}]`, step, references),
  );
  return (event) => {
    let rows: readonly unknown[] = [event];
    for (const run of runs) rows = run(rows);
    return rows;
  };
}

function runOf(path: string, step: Step, references: ReferenceRows): Run {
  if (step.op === 'enrich') return enrichRun(path, step, references);
  const run = step.run as (row: unknown) => unknown;
  if (step.op === 'filter') return (rows) => rows.filter((row) => run(row) === true);
  if (step.op === 'map') return (rows) => rows.map((row) => objectIn(path, run(row)));
  return (rows) => rows.flatMap((row) => rowsIn(path, run(row)));
}

function objectIn(path: string, row: unknown): object {
  if (typeof row === 'object' && row !== null && !(row instanceof Promise)) return row;
  throw new TransformError(path, row, 'an object');
}

function rowsIn(path: string, rows: unknown): readonly object[] {
  if (Array.isArray(rows)) return rows.map((row) => objectIn(path, row));
  throw new TransformError(path, rows, 'a list of objects');
}

function enrichRun(
  path: string,
  step: Step & { readonly op: 'enrich' },
  references: ReferenceRows,
): Run {
  const { as, from, on, missing } = step;
  const rows = references.get(from.name);
  if (rows === undefined) {
    throw new DefinitionError(
      `${path}.${as}`,
      [...references.keys()],
      `the rows of reference '${from.name}'`,
    );
  }
  const index = indexReference(from, rows);
  const keyOf = reader(`${path}.${on}`, on);
  return (events) =>
    events.map((event) => {
      const found = index.get(String(keyOf(event)));
      if (found !== undefined || missing === 'null')
        return { ...Object(event), [as]: found ?? null };
      throw new TransformError(
        `${path}.${on}`,
        keyOf(event),
        `a ${from.key} of reference '${from.name}'`,
      );
    });
}
