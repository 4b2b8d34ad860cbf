import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Annotations, Match } from 'aws-cdk-lib/assertions';
import { expect, it } from 'vitest';
import { addStacks } from '../../lib/app.ts';
import { DEV } from '../../lib/config/environment.ts';
import { loadPipeline } from '../../src/project/discover.ts';
import { ROOT } from '../helpers/sources.ts';

it.each([
  [[], 0],
  [["origin (zod's union, or a check of it)"], 1],
])('a synth tells the parts of a schema without generated code: %j', async (fallbacks, count) => {
  const folder = await loadPipeline(ROOT, 'birdstrikes');
  const folders = [{ ...folder, decoder: { ...folder.decoder, fallbacks } }];
  const outdir = mkdtempSync(path.join(tmpdir(), 'millrace-synth-'));
  const app = new App({ outdir, context: { 'aws:cdk:bundling-stacks': [] } });

  addStacks(app, {
    folders,
    environment: DEV,
    target: { account: undefined, region: 'eu-west-1' },
  });

  const stack = app.node.findChild('birdstrikes-dev-compute');
  const infos = Stack.isStack(stack)
    ? Annotations.fromStack(stack).findInfo('*', Match.anyValue())
    : [];
  const told = infos.filter(({ entry }) => String(entry.data).includes('no code is generated for'));
  expect(told).toHaveLength(count);
  rmSync(outdir, { recursive: true, force: true });
});
