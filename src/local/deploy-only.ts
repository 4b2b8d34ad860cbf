import { loadPipeline } from '../project/discover.ts';
import { type CloudOptions, openCloud } from './cloud.ts';
import { ROOT } from './paths.ts';
import { takeRunLock } from './run-lock.ts';
import type { RunView } from './view.ts';

/**
 * Deploys a pipeline's stacks as they are now, into the local cloud that a run left or into a new one, and
 * sends nothing.
 *
 * @returns the endpoint of the cloud, which stays up
 * @throws CommandError, and the signal's reason when it is aborted
 */
export async function localDeploy(
  options: Omit<CloudOptions, 'keep'>,
  view: RunView,
  signal: AbortSignal,
): Promise<string> {
  await loadPipeline(ROOT, options.pipeline);
  const unlock = takeRunLock(options.directory);
  try {
    const cloud = await openCloud({ ...options, keep: true }, view, signal);
    await cloud.close();
    return cloud.endpoint;
  } finally {
    unlock();
  }
}
