import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { DefinitionError } from '../core/errors.ts';
import type { Feed } from '../core/feed.ts';
import type { AnyPipeline } from '../core/pipeline/types.ts';
import type { ReferenceRows } from '../core/reference.ts';
import { type LoadedDecoder, loadDecoder } from './decoder.ts';
import { readReferences } from './references.ts';

/** A folder under pipelines/, loaded. */
export interface PipelineFolder {
  readonly name: string;
  /** Absolute path of the folder. */
  readonly directory: string;
  /** Absolute path of its pipeline.ts. */
  readonly file: string;
  readonly pipeline: AnyPipeline;
  readonly references: ReferenceRows;
  /** Generated from the pipeline's schema. */
  readonly decoder: LoadedDecoder;
}

/** The names of the folders under `root`/pipelines that have a pipeline.ts, sorted. */
export function discoverPipelines(root: string): readonly string[] {
  const directory = path.join(root, 'pipelines');
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { withFileTypes: true })
    .filter(
      (entry) => entry.isDirectory() && existsSync(path.join(directory, entry.name, 'pipeline.ts')),
    )
    .map((entry) => entry.name)
    .sort();
}

/**
 * Loads a pipeline folder with its reference data.
 *
 * @throws DefinitionError when there is no such folder, or its default export is not its pipeline
 */
export async function loadPipeline(root: string, name: string): Promise<PipelineFolder> {
  const known = discoverPipelines(root);
  if (!known.includes(name)) {
    throw new DefinitionError(
      'pipeline',
      name,
      `one of ${known.join(', ')} (the folders of pipelines/)`,
    );
  }
  const directory = path.join(root, 'pipelines', name);
  const file = path.join(directory, 'pipeline.ts');
  const pipeline: unknown = (await import(pathToFileURL(file).href)).default;
  if (!isPipeline(pipeline)) {
    throw new DefinitionError(
      `pipelines/${name}/pipeline.ts`,
      pipeline,
      'export default definePipeline({ ... })',
    );
  }
  if (pipeline.name !== name) {
    throw new DefinitionError(
      `pipelines/${name}/pipeline.ts: name`,
      pipeline.name,
      `the folder's name, '${name}'`,
    );
  }
  const references = readReferences(pipeline, directory);
  return { name, directory, file, pipeline, references, decoder: await loadDecoder(pipeline) };
}

/**
 * Loads the feed of a pipeline folder, or undefined where it has none.
 *
 * @throws DefinitionError when its default export is not a feed
 */
export async function loadFeed(folder: PipelineFolder): Promise<Feed | undefined> {
  const file = path.join(folder.directory, 'feed.ts');
  if (!existsSync(file)) return undefined;
  const feed: unknown = (await import(pathToFileURL(file).href)).default;
  if (hasType<Feed>(feed, 'feed')) return feed;
  throw new DefinitionError(
    `pipelines/${folder.name}/feed.ts`,
    feed,
    'export default defineFeed({ ... })',
  );
}

function isPipeline(value: unknown): value is AnyPipeline {
  return hasType<AnyPipeline>(value, 'pipeline');
}

function hasType<Value>(value: unknown, type: string): value is Value {
  return typeof value === 'object' && value !== null && Reflect.get(value, 'type') === type;
}
