import { DefinitionError } from '../errors.ts';
import { checkOptions, nameRule } from './check.ts';
import type { OutputDefinition, OutputScope, Outputs } from './output-types.ts';
import type { AnyPipeline } from './types.ts';

const OPTIONS = ['where', 'key', 'event'] as const;

/** Outputs of one pipeline, at most: each is a stream that its function may write to. */
const OUTPUTS_MAX = 10;

/** Names of pipelines, which are names of folders and parts of names of stacks. */
export const PIPELINE_NAME = /^[a-z][a-z0-9-]{0,38}[a-z0-9]$/;

/**
 * What a pipeline feeds. Whether the pipelines that are fed exist is known only where all are loaded, so
 * that is left to the synth.
 *
 * @throws DefinitionError
 */
export function outputsOf<T>(
  name: string,
  outputs: ((scope: OutputScope<T>) => Outputs) | undefined,
): Outputs {
  if (outputs === undefined) return {};
  const path = `${name}.outputs`;
  if (typeof outputs !== 'function') {
    throw new DefinitionError(path, outputs, 'a function that gives outputs by name');
  }
  const given: unknown = outputs(makeScope(path));
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new DefinitionError(path, given, 'an object of outputs by name');
  }
  const entries = Object.entries(given);
  if (entries.length > OUTPUTS_MAX) {
    throw new DefinitionError(path, entries.length, `at most ${OUTPUTS_MAX} outputs`);
  }
  for (const [output, definition] of entries) checkOutput(name, output, definition);
  return given as Outputs;
}

/** Types alone tell the row; the data is the same. */
function makeScope<T>(path: string): OutputScope<T> {
  return {
    to: (pipeline, options) => {
      checkOptions(`${path}: options of to`, options, OPTIONS);
      return { to: pipeline, ...options };
    },
  };
}

function checkOutput(name: string, output: string, definition: Partial<OutputDefinition>): void {
  const path = `${name}.outputs.${output}`;
  nameRule(path, output);
  const { to, where, key, event } = definition ?? {};
  if (typeof to !== 'string' || !PIPELINE_NAME.test(to)) {
    throw new DefinitionError(path, to, 'to(…) with the name of another pipeline');
  }
  if (to === name) {
    throw new DefinitionError(path, to, 'another pipeline: one that feeds itself never ends');
  }
  if (where !== undefined && typeof where !== 'function') {
    throw new DefinitionError(`${path}.where`, where, 'a function of the row');
  }
  if (typeof key !== 'function' && (typeof key !== 'string' || key === '')) {
    throw new DefinitionError(`${path}.key`, key, 'the name of a field, or a function of the row');
  }
  if (typeof event !== 'function') {
    throw new DefinitionError(`${path}.event`, event, 'a function of the row that gives an object');
  }
}

/** What `fedBy` hangs on. */
interface FedOptions {
  readonly fedBy?: readonly string[];
  readonly format?: 'cloudevents' | 'json';
  readonly partitions?: number | 'shard';
}

/** The pipelines that feed a pipeline. @throws DefinitionError when it can't be fed */
export function fedByOf(
  name: string,
  { fedBy = [], format, partitions }: FedOptions,
): readonly string[] {
  const isNames =
    Array.isArray(fedBy) &&
    fedBy.every((one) => typeof one === 'string' && PIPELINE_NAME.test(one) && one !== name);
  if (!isNames) {
    throw new DefinitionError(`${name}.fedBy`, fedBy, 'a list of the names of other pipelines');
  }
  if (fedBy.length > 0 && format === 'json') {
    throw new DefinitionError(
      `${name}.format`,
      format,
      "'cloudevents' with fedBy: derived events have their id and origin in the envelope",
    );
  }
  if (fedBy.length > 0 && partitions === 'shard') {
    throw new DefinitionError(
      `${name}.partitions`,
      partitions,
      'a number with fedBy: the events of a key have to meet in one writer that knows their ids',
    );
  }
  return fedBy;
}

/** The pipelines that a pipeline feeds, each once. */
export function targetsOf(pipeline: AnyPipeline): readonly string[] {
  return [...new Set(Object.values(pipeline.outputs).map(({ to }) => to))];
}
