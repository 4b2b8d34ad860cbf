import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { discoverPipelines, loadFeed, loadPipeline } from '../../../src/project/discover.ts';
import { loadStages } from '../../../src/project/stages.ts';
import { ROOT } from '../../helpers/sources.ts';

// Within the checkout, where '#millrace' and packages are found.
const root = mkdtempSync(path.join(ROOT, '.millrace', 'discover-'));

function add(name: string, files: Readonly<Record<string, string>>): void {
  const folder = path.join(root, 'pipelines', name);
  mkdirSync(folder, { recursive: true });
  for (const [file, text] of Object.entries(files)) writeFileSync(path.join(folder, file), text);
}

const PIPELINE = (name: string, more = '') => `
  import * as v from 'valibot';
  import { definePipeline, reference } from '#millrace';
  const places = reference({ name: 'places', file: 'places.csv', key: 'place',
    schema: v.object({ place: v.string(), region: v.string() }) });
  export default definePipeline({ name: '${name}',
    schema: v.object({ place: v.string(), at: v.number() }), key: 'place', time: 'at', ${more}
    windows: ({ tumbling, count }) => ({ hours: tumbling('1 hour', { keep: { events: count() } }) }) });`;

const feeding = (to: string) =>
  `outputs: ({ to }) => ({ all: to('${to}', { key: 'place', event: (row) => row }) }),`;

const ENRICHED = "transform: (events) => events.enrich('where', places, { on: 'place' }),";

beforeAll(() => {
  add('good', {
    'pipeline.ts': PIPELINE('good', ENRICHED),
    'places.csv': 'place,region\na,north\n',
  });
  add('renamed', { 'pipeline.ts': PIPELINE('other') });
  add('empty', { 'pipeline.ts': 'export default 7;', 'feed.ts': 'export default 7;' });
  add('bad-rows', {
    'pipeline.ts': PIPELINE('bad-rows', ENRICHED),
    'places.csv': 'place,regoin\na,north\n',
  });
  add('no-rows', { 'pipeline.ts': PIPELINE('no-rows', ENRICHED) });
  add('first', { 'pipeline.ts': PIPELINE('first', feeding('second')) });
  add('second', {
    'pipeline.ts': PIPELINE('second', feeding('good')),
    'places.csv': 'place,region\n',
  });
  add('lost', { 'pipeline.ts': PIPELINE('lost', feeding('gone')) });
  mkdirSync(path.join(root, 'pipelines', 'not-one'), { recursive: true });
});

afterAll(() => rmSync(root, { recursive: true, force: true }));

describe('pipeline folders', () => {
  it('are those with a pipeline.ts, in the order of their names', () => {
    expect(discoverPipelines(root)).toEqual([
      'bad-rows',
      'empty',
      'first',
      'good',
      'lost',
      'no-rows',
      'renamed',
      'second',
    ]);
  });

  it('are loaded with the rows of their references', async () => {
    const folder = await loadPipeline(root, 'good');
    expect(folder.pipeline.name).toBe('good');
    expect([...folder.references]).toEqual([
      ['places', [{ fromMs: 0, rows: [{ place: 'a', region: 'north' }] }]],
    ]);
    expect(await loadFeed(folder)).toBeUndefined();
  });

  it.each([
    ['nope', 'bad-rows, empty, first, good'],
    ['renamed', "the folder's name, 'renamed'"],
    ['empty', 'export default definePipeline'],
    ['bad-rows', 'region'],
    ['no-rows', 'a file that exists'],
  ])('%s is refused, saying what is expected', async (name, says) => {
    await expect(loadPipeline(root, name)).rejects.toThrow(says);
  });
});

describe('stages', () => {
  it('are loaded with all that they feed, each once', async () => {
    const folders = await loadStages(root, ['good', 'first']);
    expect(folders.map(({ name }) => name)).toEqual(['good', 'first', 'second']);
  });

  it('that feed what is not there are refused', async () => {
    await expect(loadStages(root, ['lost'])).rejects.toThrow(/lost\.outputs.*'gone'.*one of/);
  });
});
