import { globSync } from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { discoverPipelines } from '../../src/project/discover.ts';
import { ROOT } from '../helpers/sources.ts';

/** What a function's bundle is made of, as lib/processing makes it; `kept` is what its code comes from. */
async function inputsOf(
  entry: string,
  pipeline: string,
): Promise<{ readonly inputs: readonly string[]; readonly kept: readonly string[] }> {
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: [`functions/${entry}.ts`],
    alias: {
      '#pipeline': path.join(ROOT, 'pipelines', pipeline, 'pipeline.ts'),
      '#decoder': path.join(ROOT, 'functions/shared/no-decoder.ts'),
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
  const [output] = Object.values(metafile.outputs);
  const kept = Object.entries(output?.inputs ?? {}).filter(
    ([, { bytesInOutput }]) => bytesInOutput > 0,
  );
  return { inputs: Object.keys(metafile.inputs), kept: kept.map(([file]) => file) };
}

/** Every function: each file in functions/ is one. */
const ENTRIES = globSync('functions/*.ts', { cwd: ROOT }).map((file) => path.basename(file, '.ts'));

describe.each(ENTRIES)('the bundle of %s', (entry) => {
  it.each(discoverPipelines(ROOT))('holds pipeline %s and no other, and no CDK', async (name) => {
    const { inputs } = await inputsOf(entry, name);

    const pipelines = inputs.filter((file) => file.startsWith('pipelines/'));
    expect(pipelines).toEqual([`pipelines/${name}/pipeline.ts`]);
    const foreign =
      /node_modules\/(aws-cdk|constructs|cdk-nag|vitest|commander|hyparquet)|src\/(local|sim|mapping|batch|cli)\//;
    expect(inputs.filter((file) => foreign.test(file))).toEqual([]);
  });
});

it('each bundle has the AWS clients that its function calls, and no other', async () => {
  const [pipeline = ''] = discoverPipelines(ROOT);
  const clients = ENTRIES.sort().map(async (entry) => {
    const { kept } = await inputsOf(entry, pipeline);
    const found = kept.flatMap((file) => /@aws-sdk\/client-([\w-]+)\//.exec(file)?.[1] ?? []);
    return `${entry}: ${[...new Set(found)].sort().join(', ')}`;
  });
  expect(await Promise.all(clients)).toMatchInlineSnapshot(`
    [
      "archive: kinesis, s3",
      "check-archive: kinesis, s3",
      "close: eventbridge, kinesis",
      "consume: kinesis, s3",
      "keep: kinesis",
      "recover: kinesis, lambda, s3",
      "redrive: kinesis, s3",
      "replay: kinesis, s3",
      "scale: cloudwatch, kinesis",
    ]
  `);
});
