import { DefinitionError } from '../core/errors.ts';
import { targetsOf } from '../core/pipeline/outputs.ts';
import { discoverPipelines, loadPipeline, type PipelineFolder } from './discover.ts';

/**
 * Loads pipelines with all that they feed, directly or by way of others; each once, a pipeline before
 * those that it feeds where it was found first.
 *
 * @throws DefinitionError when a folder is missing or its pipeline is none
 */
export async function loadStages(
  root: string,
  names: readonly string[],
): Promise<readonly PipelineFolder[]> {
  const found = new Map<string, PipelineFolder>();
  for (const name of names) await loadFrom(root, name, found);
  return [...found.values()];
}

async function loadFrom(
  root: string,
  name: string,
  found: Map<string, PipelineFolder>,
): Promise<void> {
  if (found.has(name)) return;
  const folder = await loadPipeline(root, name);
  found.set(name, folder);
  const known = discoverPipelines(root);
  for (const target of targetsOf(folder.pipeline)) {
    if (!known.includes(target)) {
      throw new DefinitionError(
        `${name}.outputs`,
        target,
        `to one of ${known.join(', ')} (the folders of pipelines/)`,
      );
    }
    await loadFrom(root, target, found);
  }
}
