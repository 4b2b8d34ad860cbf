import { keyIn, reader, TransformError } from './compile-field.ts';
import { compileOutput } from './compile-output.ts';
import { compileWindow } from './compile-window.ts';
import { durationMs } from './duration.ts';
import { DefinitionError } from './errors.ts';
import { hashKeyOf, sipHash } from './hash.ts';
import type { AnyPipeline, Step } from './pipeline/types.ts';
import type { Program, ProgramSettings } from './program.ts';
import { type MakeDecoder, quickDecoder } from './quick-decoder.ts';
import {
  effectiveVersion,
  indexReference,
  type ReferenceRows,
  type VersionRows,
} from './reference.ts';
import { validateWith } from './schema.ts';
import { DECISION_RULES } from './version.ts';

/** What the build adds to a pipeline. */
export interface BuildParts {
  /** Of everything that the pipeline's file runs; without it, changed functions are not told. */
  readonly codePrint?: string;
  /** Of the module generated from the pipeline's schema; without it all events take the reference path. */
  readonly makeDecoder?: MakeDecoder;
}

/**
 * Makes a pipeline ready to run.
 *
 * @throws DefinitionError when a reference is missing or has a bad row
 */
export function compile(
  pipeline: AnyPipeline,
  references: ReferenceRows = new Map(),
  { codePrint, makeDecoder }: BuildParts = {},
): Program {
  const settings = settingsOf(pipeline);
  const read = (path: string, of: string | ((event: never) => unknown)) =>
    reader(`${pipeline.name}.${path}`, of);
  const id = pipeline.id === undefined ? () => undefined : read('id', pipeline.id);
  const key = read('key', pipeline.key);
  const time = read('time', pipeline.time);
  return {
    name: pipeline.name,
    ...fingerprintsOf(pipeline, references, codePrint),
    format: pipeline.format,
    settings,
    aggregates: Object.entries(pipeline.windows).map(([name, window]) =>
      compileWindow({ pipeline, name, window }),
    ),
    decodeQuickly:
      makeDecoder === undefined ? undefined : quickDecoder(makeDecoder, pipeline.schema),
    validate: (data) => validateWith(`${pipeline.name}.schema`, pipeline.schema, data),
    idOf: (event) => idIn(pipeline.name, id(event)),
    keyOf: (event) => keyIn(`${pipeline.name}.key`, key(event)),
    timeOf: (event) => timeIn(pipeline.name, time(event)),
    transform: transformOf(pipeline, references),
    outputs: Object.entries(pipeline.outputs).map(([name, output]) =>
      compileOutput(`${pipeline.name}.outputs.${name}`, name, output),
    ),
  };
}

function settingsOf(pipeline: AnyPipeline): ProgramSettings {
  const { retention } = pipeline;
  return {
    partitions: pipeline.partitions,
    events: pipeline.events,
    closing:
      pipeline.closing === null
        ? null
        : { idleMs: durationMs('closing.idle', pipeline.closing.idle) },
    horizonMs: durationMs('deduplication', pipeline.deduplication),
    deduplicates: true,
    fedBy: pipeline.fedBy,
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
 * Over the code that the pipeline's file runs, or its JSON where that is not known, and the first version of the
 * reference rows. Later versions of references stand apart: one that is announced changes no decision on what
 * arrived before it.
 */
function fingerprintsOf(
  pipeline: AnyPipeline,
  references: ReferenceRows,
  codePrint: string | undefined,
): Pick<Program, 'fingerprint' | 'fingerprintAt'> {
  const { schema: _schema, ...rest } = pipeline;
  const first = [...references].map(([name, versions]) => [name, versions[0]?.rows]);
  const fingerprint = printOf([DECISION_RULES, codePrint ?? rest, first], 16);
  const known = new Map<string, string>();
  const later = [...references].filter(([, versions]) => versions.length > 1);
  return {
    fingerprint,
    fingerprintAt: (arrivalMs) => {
      const effective = later
        .map(([name, versions]) => ({ name, version: effectiveVersion(versions, arrivalMs) }))
        .filter(({ version }) => version !== undefined && version.fromMs > 0);
      if (effective.length === 0) return fingerprint;
      const key = effective.map(({ name, version }) => `${name} ${version?.fromMs}`).join();
      const print = known.get(key) ?? `${fingerprint}.${printOf(effective, 8)}`;
      known.set(key, print);
      return print;
    },
  };
}

function printOf(value: unknown, digits: 8 | 16): string {
  const json = JSON.stringify(value, (key, one: unknown) => {
    if (key === 'versions') return undefined;
    return typeof one === 'function' ? 'function' : one;
  });
  const { high, low } = sipHash(FINGERPRINT_KEY, new TextEncoder().encode(json));
  return (high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0')).slice(0, digits);
}

function idIn(name: string, id: unknown): string | undefined {
  if (id === undefined || id === null) return undefined;
  if (typeof id === 'string' && id !== '') return id;
  throw new TransformError(`${name}.id`, id, 'a non-empty text');
}

function timeIn(name: string, time: unknown): number {
  const ms = time instanceof Date ? time.getTime() : time;
  if (typeof ms === 'number' && Number.isFinite(ms)) return Math.floor(ms);
  throw new TransformError(`${name}.time`, time, 'a valid Date, or milliseconds since 1970');
}

type Run = (rows: readonly unknown[], arrivalMs: number) => readonly unknown[];

function transformOf(pipeline: AnyPipeline, references: ReferenceRows): Program['transform'] {
  const runs = pipeline.steps.map((step, index) =>
    runOf(`${pipeline.name}.transform[${index}]`, step, references),
  );
  return (event, arrivalMs) => {
    let rows: readonly unknown[] = [event];
    for (const run of runs) rows = run(rows, arrivalMs);
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
  const versions = references.get(from.name) ?? [];
  if (versions.length === 0) {
    throw new DefinitionError(
      `${path}.${as}`,
      [...references.keys()],
      `the rows of reference '${from.name}'`,
    );
  }
  const indexes = new Map<VersionRows, ReadonlyMap<string, unknown>>();
  // An index is made when its version is first needed: a cold start doesn't pay for what is to come.
  const indexAt = (arrivalMs: number) => {
    const version = effectiveVersion(versions, arrivalMs) ?? { fromMs: 0, rows: [] };
    const index = indexes.get(version) ?? indexReference(from, version.rows);
    indexes.set(version, index);
    return index;
  };
  indexAt(0);
  const keyOf = reader(`${path}.${on}`, on);
  return (events, arrivalMs) =>
    events.map((event) => {
      const found = indexAt(arrivalMs).get(String(keyOf(event)));
      if (found !== undefined || missing === 'null')
        return { ...Object(event), [as]: found ?? null };
      throw new TransformError(
        `${path}.${on}`,
        keyOf(event),
        `a ${from.key} of reference '${from.name}'`,
      );
    });
}
