import path from 'node:path';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { discoverPipelines } from '../../src/project/discover.ts';
import { ROOT } from '../helpers/sources.ts';

/** What a function's bundle is made of, as lib/processing makes it. */
async function inputsOf(entry: string, pipeline: string): Promise<readonly string[]> {
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: [`functions/${entry}.ts`],
    alias: {
      '#pipeline': path.join(ROOT, 'pipelines', pipeline, 'pipeline.ts'),
      '#millrace': path.join(ROOT, 'src/core/millrace.ts'),
    },
    bundle: true,
    platform: 'node',
    format: 'esm',
    mainFields: ['module', 'main'],
    metafile: true,
    write: false,
    logLevel: 'error',
  });
  return Object.keys(metafile.inputs);
}

describe.each(['consume', 'keep', 'archive', 'check-archive'])('the bundle of %s', (entry) => {
  it.each(discoverPipelines(ROOT))('holds pipeline %s and no other, and no CDK', async (name) => {
    const inputs = await inputsOf(entry, name);

    const pipelines = inputs.filter((file) => file.startsWith('pipelines/'));
    expect(pipelines).toEqual([`pipelines/${name}/pipeline.ts`]);
    const foreign =
      /node_modules\/(aws-cdk|constructs|cdk-nag|vitest|commander|hyparquet)|src\/(local|sim|mapping|batch|cli)\//;
    expect(inputs.filter((file) => foreign.test(file))).toEqual([]);
  });
});
