import type { Feed } from '../core/feed.ts';
import { loadFeed, type PipelineFolder } from '../project/discover.ts';
import { CommandError, EXIT } from './local-error.ts';

/**
 * The feed of a pipeline.
 *
 * @throws CommandError when it has none
 */
export async function requireFeed(folder: PipelineFolder): Promise<Feed<unknown>> {
  const feed = await loadFeed(folder);
  if (feed !== undefined) return feed as Feed<unknown>;
  const [feeder] = folder.pipeline.fedBy;
  throw new CommandError(`Pipeline ${folder.name} has no data to send`, {
    exitCode: EXIT.missing,
    detail: `got no pipelines/${folder.name}/feed.ts, expected one`,
    next:
      feeder === undefined
        ? 'write it: docs/PIPELINES.md, "The feed"'
        : `run the pipeline that feeds it: npm start -- --pipeline ${feeder}`,
  });
}
