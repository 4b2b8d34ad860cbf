import { durationMs, durationText } from '../duration.ts';
import { DefinitionError } from '../errors.ts';
import { PARTITIONS_MAX } from '../partition.ts';
import { isSchema, type OutputOf, type Schema } from '../schema.ts';
import { startChain, stepsOf } from './chain.ts';
import { checkOptions } from './check.ts';
import { fedByOf, outputsOf, PIPELINE_NAME } from './outputs.ts';
import { checkWindows, makeScope } from './scope.ts';
import type {
  ClosingOptions,
  EventOptions,
  Objectives,
  Pipeline,
  PipelineOptions,
  Retention,
  Windows,
} from './types.ts';

const OPTIONS = [
  'name',
  'schema',
  'format',
  'id',
  'key',
  'time',
  'partitions',
  'lateness',
  'deduplication',
  'fedBy',
  'transform',
  'outputs',
  'windows',
  'retention',
  'events',
  'closing',
  'objectives',
] as const satisfies readonly (keyof PipelineOptions<Schema, unknown, Windows>)[];

const RETENTION = [
  'stream',
  'windows',
  'events',
  'quarantine',
  'archive',
] as const satisfies readonly (keyof Retention)[];

const DAY_MS = 86_400_000;

/**
 * Defines a pipeline: what an event looks like, how it is transformed and which windows are kept.
 *
 * @example
 * export default definePipeline({
 *   name: 'orders',
 *   schema: z.object({ customer: z.string(), placed: z.coerce.date(), amount: z.number() }),
 *   key: 'customer',
 *   time: 'placed',
 *   lateness: '10 minutes',
 *   windows: ({ tumbling, count, sum }) => ({
 *     hourly: tumbling('1 hour', { by: 'customer', keep: { orders: count(), amount: sum('amount') } }),
 *   }),
 * });
 * @throws DefinitionError naming the option, what was got and what is allowed
 */
export function definePipeline<S extends Schema, W extends Windows, T = OutputOf<S>>(
  options: PipelineOptions<S, T, W>,
): Pipeline<OutputOf<S>, T, W> {
  checkOptions('pipeline', options, OPTIONS);
  const { name } = options;
  if (typeof name !== 'string' || !PIPELINE_NAME.test(name)) {
    throw new DefinitionError(
      'pipeline.name',
      name,
      '2 to 40 lower-case letters, digits and dashes, a letter first',
    );
  }
  if (typeof options.windows !== 'function') {
    throw new DefinitionError(
      `${name}.windows`,
      options.windows,
      'a function that gives windows, such as ({ tumbling, count }) => ({ ... })',
    );
  }
  const outputs = outputsOf<T>(name, options.outputs);
  const windows = options.windows(makeScope<T>(`${name}.windows`));
  checkWindows(`${name}.windows`, windows, Object.keys(outputs).length === 0 ? 1 : 0);
  const pipeline: Pipeline<OutputOf<S>, T, W> = {
    type: 'pipeline',
    name,
    ...eventOptions(name, options),
    fedBy: fedByOf(name, options),
    steps: transformSteps(name, options.transform),
    outputs,
    windows,
    ...timeOptions(name, options),
    events: eventLayout(name, options.events),
    closing: closingOf(name, Object.keys(windows), options.closing),
    objectives: objectivesOf(name, options.objectives),
  };
  checkTimes(pipeline);
  return Object.freeze(pipeline);
}

type Given = Pick<
  PipelineOptions<Schema, unknown, Windows>,
  'schema' | 'format' | 'partitions' | 'lateness' | 'deduplication' | 'retention'
> & { readonly id?: unknown; readonly key?: unknown; readonly time?: unknown };

function eventOptions(
  name: string,
  { schema, format = 'cloudevents', id, key, time, partitions = 4 }: Given,
): Pick<Pipeline, 'schema' | 'format' | 'id' | 'key' | 'time' | 'partitions'> {
  if (!isSchema(schema))
    throw new DefinitionError(
      `${name}.schema`,
      schema,
      'a Standard Schema, such as z.object({ ... })',
    );
  if (format !== 'cloudevents' && format !== 'json') {
    throw new DefinitionError(`${name}.format`, format, "'cloudevents' or 'json'");
  }
  if (id !== undefined && typeof id !== 'string')
    throw new DefinitionError(`${name}.id`, id, 'the name of a field');
  if (id !== undefined && format === 'cloudevents') {
    throw new DefinitionError(
      `${name}.id`,
      id,
      "no id with format 'cloudevents', whose envelope has one",
    );
  }
  const count =
    typeof partitions === 'number' &&
    Number.isInteger(partitions) &&
    partitions >= 1 &&
    partitions <= PARTITIONS_MAX;
  if (partitions !== 'shard' && !count) {
    throw new DefinitionError(
      `${name}.partitions`,
      partitions,
      `a whole number from 1 to ${PARTITIONS_MAX}, or 'shard'`,
    );
  }
  return {
    schema,
    format,
    id,
    key: fieldOrFunction(`${name}.key`, key),
    time: fieldOrFunction(`${name}.time`, time),
    partitions,
  };
}

function fieldOrFunction(path: string, value: unknown): string | ((event: never) => unknown) {
  if (typeof value === 'string' && value !== '') return value;
  if (typeof value === 'function') return value as (event: never) => unknown;
  throw new DefinitionError(path, value, 'the name of a field, or a function of the event');
}

function transformSteps(name: string, transform: unknown): Pipeline['steps'] {
  if (transform === undefined) return [];
  if (typeof transform !== 'function') {
    throw new DefinitionError(`${name}.transform`, transform, 'a function of the chain');
  }
  const path = `${name}.transform`;
  return stepsOf(path, transform(startChain(path)));
}

function timeOptions(
  name: string,
  { lateness = '0 seconds', deduplication = '30 minutes', retention = {} }: Given,
): Pick<Pipeline, 'lateness' | 'deduplication' | 'retention'> {
  checkOptions(`${name}.retention`, retention, RETENTION);
  const {
    stream = '1 day',
    windows = '30 days',
    quarantine = '30 days',
    events = null,
    archive = '365 days',
  } = retention;
  durationMs(`${name}.lateness`, lateness);
  durationMs(`${name}.deduplication`, deduplication, { minMs: 0, maxMs: 365 * DAY_MS });
  durationMs(`${name}.retention.stream`, stream, { minMs: DAY_MS, maxMs: 365 * DAY_MS });
  for (const [key, value] of Object.entries({
    windows,
    quarantine,
    ...(events === null ? {} : { events }),
    ...(archive === false ? {} : { archive }),
  })) {
    durationMs(`${name}.retention.${key}`, value, { minMs: 3_600_000 });
  }
  const kept = { stream, windows, quarantine, events, archive: archive === false ? null : archive };
  return { lateness, deduplication, retention: kept };
}

function closingOf(
  name: string,
  all: readonly string[],
  closing: ClosingOptions | undefined,
): Pipeline['closing'] {
  if (closing === undefined) return null;
  checkOptions(`${name}.closing`, closing, ['windows', 'idle']);
  const { windows = all, idle = '10 minutes' } = closing;
  durationMs(`${name}.closing.idle`, idle, { minMs: 60_000, maxMs: DAY_MS });
  const unknown = Array.isArray(windows) ? windows.find((one) => !all.includes(one)) : windows;
  if (unknown === undefined) return { windows, idle };
  throw new DefinitionError(`${name}.closing.windows`, unknown, `some of ${all.join(', ')}`);
}

function eventLayout(name: string, events: EventOptions = {}): Pipeline['events'] {
  checkOptions(`${name}.events`, events, ['layout', 'index']);
  const { layout = 'each', index = true } = events;
  if (layout !== 'each' && layout !== 'packed') {
    throw new DefinitionError(`${name}.events.layout`, layout, "'each' or 'packed'");
  }
  if (typeof index !== 'boolean') {
    throw new DefinitionError(`${name}.events.index`, index, 'true or false');
  }
  return { layout, index };
}

function objectivesOf(name: string, objectives: Objectives = {}): Pipeline['objectives'] {
  checkOptions(`${name}.objectives`, objectives, ['latency', 'quarantine']);
  const { latency = {}, quarantine = {} }: { latency?: object; quarantine?: object } = objectives;
  checkOptions(`${name}.objectives.latency`, latency, ['p99']);
  checkOptions(`${name}.objectives.quarantine`, quarantine, ['max']);
  const max = objectives.quarantine?.max ?? '1 %';
  const percent = Number(/^(\d+(?:\.\d+)?) %$/.exec(max)?.[1] ?? Number.NaN);
  if (!(percent > 0 && percent <= 100)) {
    throw new DefinitionError(
      `${name}.objectives.quarantine.max`,
      max,
      "more than 0 and up to 100, such as '1 %'",
    );
  }
  const latencyP99Ms = durationMs(
    `${name}.objectives.latency.p99`,
    objectives.latency?.p99 ?? '60 seconds',
    {
      minMs: 100,
      maxMs: DAY_MS,
    },
  );
  return { latencyP99Ms, quarantineMaxPercent: percent };
}

function checkTimes(pipeline: Pipeline): void {
  const { name, deduplication, retention, lateness } = pipeline;
  const streamMs = durationMs('stream', retention.stream);
  if (durationMs('deduplication', deduplication) > streamMs) {
    throw new DefinitionError(
      `${name}.deduplication`,
      deduplication,
      `at most the stream's retention, '${durationText(streamMs)}'`,
    );
  }
  checkArchive(pipeline, streamMs);
  const windowsMs = durationMs('windows', retention.windows);
  if (durationMs('lateness', lateness) > windowsMs) {
    throw new DefinitionError(
      `${name}.lateness`,
      lateness,
      `at most retention.windows, '${durationText(windowsMs)}'`,
    );
  }
}

/** A gap can be mended only as long as the stream has the records: the archive must not forget sooner. */
function checkArchive({ name, retention: { archive } }: Pipeline, streamMs: number): void {
  if (archive === null || durationMs('archive', archive) >= streamMs + DAY_MS) return;
  throw new DefinitionError(
    `${name}.retention.archive`,
    archive,
    `a day more than the stream's retention, '${durationText(streamMs + DAY_MS)}', or false for no archive`,
  );
}
