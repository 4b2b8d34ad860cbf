import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { definePipeline, reference } from '#millrace';
import { readReferences } from '../../../src/project/references.ts';

const directory = mkdtempSync(path.join(tmpdir(), 'millrace-references-'));

afterAll(() => rmSync(directory, { recursive: true, force: true }));

function pipelineFrom(file: string) {
  const shops = reference({
    name: 'shops',
    file,
    key: 'shop',
    schema: z.object({ shop: z.string(), city: z.string() }),
  });
  return definePipeline({
    name: 'sales',
    schema: z.object({ shop: z.string(), at: z.number() }),
    key: 'shop',
    time: 'at',
    transform: (sales) => sales.enrich('from', shops, { on: 'shop' }),
    windows: ({ tumbling, count }) => ({ hours: tumbling('1 hour', { keep: { n: count() } }) }),
  });
}

function read(name: string, text: string) {
  writeFileSync(path.join(directory, name), text);
  return readReferences(pipelineFrom(name), directory).get('shops');
}

describe('reference data', () => {
  it.each([
    ['shops.csv', 'shop,city\nA,Oslo\nB,Rome\n'],
    ['shops.json', '[{"shop":"A","city":"Oslo"},{"shop":"B","city":"Rome"}]'],
  ])('is read from %s beside the pipeline', (name, text) => {
    expect(read(name, text)).toEqual([
      {
        fromMs: 0,
        rows: [
          { shop: 'A', city: 'Oslo' },
          { shop: 'B', city: 'Rome' },
        ],
      },
    ]);
  });

  it('that no step names is none', () => {
    const { steps: _steps, ...rest } = pipelineFrom('none.csv');
    expect(readReferences({ ...rest, steps: [] }, directory).size).toBe(0);
  });

  it.each([
    [
      'a file that is not there',
      () => readReferences(pipelineFrom('none.csv'), directory),
      /^reference\.shops\.file: got '.*, expected a file that exists$/,
    ],
    [
      'no list',
      () => read('object.json', '{"shop":"A"}'),
      /^reference\.shops\.file: got '.*, expected a JSON array of objects$/,
    ],
    [
      'a line that is too short',
      () => read('row.csv', 'shop,city\nA,Oslo\nB\n'),
      /^reference\.shops\.file: got '.*, expected a file to be read: Invalid Record Length.*line 3/,
    ],
    [
      'a field of another kind',
      () => read('kind.json', '[{"shop":"A","city":7}]'),
      /^reference\.shops, row 0, city: got .*string/,
    ],
    [
      'a key that comes twice',
      () => read('twice.csv', 'shop,city\nA,Oslo\nA,Rome\n'),
      /^reference\.shops, row 1, shop: got 'A', expected a text that no other row has$/,
    ],
  ])('with %s is refused, naming where', (_what, act, says) => {
    expect(act).toThrow(says);
  });
});
