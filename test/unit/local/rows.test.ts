import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { DefinitionError } from '../../../src/core/errors.ts';
import { readRows } from '../../../src/local/feed/rows.ts';
import { ROOT } from '../../helpers/sources.ts';

const directory = mkdtempSync(path.join(tmpdir(), 'millrace-rows-'));
const DATA = path.join(ROOT, 'node_modules', 'vega-datasets', 'data');

afterAll(() => rmSync(directory, { recursive: true, force: true }));

function fileOf(name: string, text: string): string {
  const file = path.join(directory, name);
  writeFileSync(file, text);
  return file;
}

/** The first rows of a file. */
async function first(count: number, file: string, rows = ''): Promise<unknown[]> {
  const read: unknown[] = [];
  for await (const one of readRows(file, rows)) {
    read.push(one);
    if (read.length === count) break;
  }
  return read;
}

describe('rows', () => {
  it('of CSV are texts by the names of the first line, a byte order mark left out', async () => {
    const file = fileOf('a.csv', '\ufeffplace,note\nATL,"a, b"\nORD,\n');
    expect(await first(9, file)).toEqual([
      { index: 0, row: { place: 'ATL', note: 'a, b' } },
      { index: 1, row: { place: 'ORD', note: '' } },
    ]);
  });

  it('of JSON lines are one a line, empty lines left out', async () => {
    const file = fileOf('a.jsonl', '{"a":1}\n\n{"a":2}\n');
    expect(await first(9, file)).toEqual([
      { index: 0, row: { a: 1 } },
      { index: 1, row: { a: 2 } },
    ]);
  });

  it.each([
    ['', '[{"a":1}]'],
    ['items', '{"items":[{"a":1}]}'],
    ['data.items', '{"data":{"items":[{"a":1}]}}'],
  ])('of JSON stand where they are said to: %j', async (rows, text) => {
    expect(await first(9, fileOf('a.json', text), rows)).toEqual([{ index: 0, row: { a: 1 } }]);
  });

  it('of Parquet have plain numbers, and dates as UTC', async () => {
    const [flight] = await first(1, path.join(DATA, 'flights-3m.parquet'));
    expect(flight).toEqual({
      index: 0,
      row: {
        date: new Date('2001-01-01T00:01:00Z'),
        delay: expect.any(Number),
        distance: expect.any(Number),
        origin: expect.stringMatching(/^[A-Z]{3}$/),
        destination: expect.stringMatching(/^[A-Z]{3}$/),
      },
    });
  });
});

describe('a file', () => {
  it('that is not there is told by its name', async () => {
    const missing = path.join(directory, 'none.csv');
    await expect(async () => first(1, missing)).rejects.toThrow(DefinitionError);
    await expect(async () => first(1, missing)).rejects.toThrow(
      `feed.file: got '${missing.slice(0, 20)}`,
    );
  });

  it.each([
    ['nothing', '{"items":[]}'],
    ['items.more', '{"items":[]}'],
    ['', '{"items":[]}'],
    ['items', '{"items":{"a":1}}'],
  ])('without a list of rows at %j is told so', async (rows, text) => {
    const read = first(1, fileOf('b.json', text), rows);
    await expect(read).rejects.toThrow(
      `feed.rows: got '${rows}', expected the path of a list of rows`,
    );
  });

  it.each([
    ['short.csv', 'a,b\n1,2\n3\n', 'on line 3'],
    ['half.jsonl', '{"a":1}\n{"a"\n', 'a file to be read: line 2 is no JSON'],
    ['half.json', '[{"a":1}', 'a file to be read: '],
  ])('that breaks off is told where: %s', async (name, text, says) => {
    const read = first(9, fileOf(name, text));
    await expect(read).rejects.toThrow(DefinitionError);
    await expect(read).rejects.toThrow(says);
  });
});
