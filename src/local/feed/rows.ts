import { createReadStream, existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { parse } from 'csv-parse';
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { DefinitionError } from '../../core/errors.ts';

/** A row of a data file: its number from 0 and its fields. */
export interface NumberedRow {
  readonly index: number;
  readonly row: unknown;
}

/** Rows of a Parquet file that are held at once. */
const ROWS_AT_ONCE = 50_000;

/**
 * Reads a data file row by row, in the order of the file.
 *
 * @param file absolute path: .parquet, .json, .jsonl or .csv (whose values are texts)
 * @param rows where the rows stand in a JSON document, such as `data.items`; empty for the whole
 * @throws DefinitionError when there is no such file, or no list of rows in it
 */
export function readRows(file: string, rows: string): AsyncGenerator<NumberedRow> {
  if (!existsSync(file)) throw new DefinitionError('feed.file', file, 'a file that exists');
  return numbered(file, rowsOf(file, rows));
}

function rowsOf(file: string, rows: string): AsyncIterable<unknown> {
  if (file.endsWith('.parquet')) return parquetRows(file);
  if (file.endsWith('.jsonl')) return jsonLines(file);
  if (file.endsWith('.csv')) {
    return createReadStream(file).pipe(parse({ columns: true, bom: true }));
  }
  return jsonRows(file, rows);
}

async function* numbered(file: string, rows: AsyncIterable<unknown>): AsyncGenerator<NumberedRow> {
  const source = rows[Symbol.asyncIterator]();
  try {
    for (let index = 0; ; index += 1) {
      const { value, done } = await source.next().catch((error) => unreadable(file, error));
      if (done === true) return;
      yield { index, row: value };
    }
  } finally {
    await source.return?.();
  }
}

function unreadable(file: string, error: unknown): never {
  if (error instanceof DefinitionError) throw error;
  const why = error instanceof Error ? error.message : String(error);
  throw new DefinitionError('feed.file', file, `a file to be read: ${why}`, { cause: error });
}

async function* parquetRows(name: string): AsyncGenerator<unknown> {
  const file = await asyncBufferFromFile(name);
  const metadata = await parquetMetadataAsync(file);
  const count = Number(metadata.num_rows);
  for (let rowStart = 0; rowStart < count; rowStart += ROWS_AT_ONCE) {
    const rowEnd = Math.min(rowStart + ROWS_AT_ONCE, count);
    const rows = await parquetReadObjects({ file, metadata, rowStart, rowEnd, compressors });
    yield* rows.map(plainNumbers);
  }
}

/** 64-bit integers come as bigint; what a double holds exactly is made a number. */
function plainNumbers(row: Record<string, unknown>): unknown {
  const entries = Object.entries(row).map(([name, value]) => {
    const small = typeof value === 'bigint' && Number.isSafeInteger(Number(value));
    return [name, small ? Number(value) : value];
  });
  return Object.fromEntries(entries);
}

async function* jsonLines(file: string): AsyncGenerator<unknown> {
  let number = 0;
  for await (const line of createInterface({ input: createReadStream(file) })) {
    number += 1;
    if (line.trim() !== '') yield parseLine(line, number);
  }
}

function parseLine(line: string, number: number): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw new SyntaxError(`line ${number} is no JSON`, { cause });
  }
}

async function* jsonRows(file: string, rows: string): AsyncGenerator<unknown> {
  let found: unknown = JSON.parse(await readFile(file, 'utf8'));
  for (const name of rows === '' ? [] : rows.split('.')) {
    found = typeof found === 'object' && found !== null ? Reflect.get(found, name) : undefined;
  }
  if (!Array.isArray(found)) {
    throw new DefinitionError('feed.rows', rows, `the path of a list of rows in ${file}`);
  }
  yield* found;
}
