import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeMemoryOutlet } from '../src/adapters/memory/outlet.ts';
import { compile } from '../src/core/compile.ts';
import { explicitHashKey, partitionKey, partitionOf } from '../src/core/partition.ts';
import { makeConsume } from '../src/handlers/consume.ts';
import { loadPipeline } from '../src/project/discover.ts';
import { ROOT } from './helpers/sources.ts';
import { DEV, PROD, synth } from './helpers/synth.ts';
import { invocation, makeWorld, record } from './helpers/world.ts';

/** What the documents say, done: an example that doesn't work is a bug. */

const read = (file: string) => readFileSync(path.join(ROOT, file), 'utf8');

/** The blocks of a language in a document. */
function blocksOf(file: string, language: string): readonly string[] {
  const blocks = read(file).matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'));
  return [...blocks].map(([, block = '']) => block);
}

/** Within the checkout, so that `#millrace` and the packages are found. */
let directory = '';

beforeAll(() => {
  mkdirSync(path.join(ROOT, '.millrace'), { recursive: true });
  directory = mkdtempSync(path.join(ROOT, '.millrace', 'documents-'));
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

async function load(name: string, text: string): Promise<Record<string, unknown>> {
  const file = path.join(directory, name);
  writeFileSync(file, text);
  return (await import(pathToFileURL(file).href)).default;
}

describe('DEPLOY', () => {
  const command =
    blocksOf('docs/DEPLOY.md', 'sh').find((block) => block.includes('put-record')) ?? '';
  const option = (name: string) => new RegExp(`--${name} ('[^']+'|\\S+)`).exec(command)?.[1] ?? '';
  const event = JSON.parse(option('data').slice(1, -1));

  it('sends its event to the partition and shard of its key', async () => {
    const { pipeline } = await loadPipeline(ROOT, 'flights');
    const partitions = Number(pipeline.partitions);
    const partition = partitionOf(event.data.origin, partitions);
    expect(option('partition-key')).toBe(partitionKey(partition));
    expect(option('explicit-hash-key')).toBe(explicitHashKey(partition, partitions));
  });

  it('sends an event that the pipeline accepts', async () => {
    const { pipeline, references } = await loadPipeline(ROOT, 'flights');
    const arrivalMs = Date.parse(event.data.date);
    const world = makeWorld(arrivalMs);
    const bytes = Buffer.from(JSON.stringify(event));
    const outlets = { late: { outlet: makeMemoryOutlet(world.clock), partitions: 4 } };
    const consume = makeConsume({ ...world, outlets }, compile(pipeline, references));
    const partitionKey = option('partition-key');
    const { report } = await consume(
      { Records: [record({ sequence: 1, bytes, arrivalMs, partitionKey })] },
      invocation(world),
    );
    expect(report).toMatchObject({ accepted: 1, quarantined: 0 });
  });

  it.each([
    ['dev', DEV],
    ['prod', PROD],
  ])('says what %s costs when idle, as the stack does', async (name, environment) => {
    const { compute } = await synth(environment);
    const output = JSON.stringify(compute.findOutputs('IdleCost'));
    const told = new RegExp(`${name} about (\\d+\\.\\d\\d)`).exec(read('docs/DEPLOY.md'))?.[1];
    expect(told).toBe(/\$(\d+\.\d\d)/.exec(output)?.[1]);
  });
});

describe('PIPELINES', () => {
  const blocks = blocksOf('docs/PIPELINES.md', 'ts');

  it('begins with a pipeline that loads and compiles', async () => {
    const text = blocks.find((block) => block.includes('export default definePipeline')) ?? '';
    const pipeline = await load('pipeline.ts', text);
    expect(compile(pipeline as never).name).toBe('orders');
  });

  it('shows a feed whose rows are events of that pipeline', async () => {
    const text = blocks.find((block) => block.includes('export default defineFeed')) ?? '';
    const feed = (await load('feed.ts', text)) as {
      time(row: object): Date;
      data(row: object, context: { timeMs: number }): unknown;
    };
    const pipeline = await load('pipeline-again.ts', blocks[0] ?? '');
    const row = { shop: 'north', date: '2026-11-24T12:00:00Z', total: '12.5' };
    const data = feed.data(row, { timeMs: feed.time(row).getTime() });
    expect(compile(pipeline as never).validate(data).ok).toBe(true);
  });
});
