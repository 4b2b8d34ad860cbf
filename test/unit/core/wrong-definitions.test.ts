import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { definePipeline } from '#millrace';
import { defineFeed } from '../../../src/core/feed.ts';
import { reference } from '../../../src/core/reference.ts';

/** What JavaScript users, or casts, can get wrong: each mistake is told with path, got and allowed. */

const schema = z.object({ place: z.string(), at: z.date(), amount: z.number() });
const airports = reference({
  name: 'airports',
  file: 'airports.csv',
  key: 'iata',
  schema: z.object({ iata: z.string() }),
});

interface AnyScope {
  tumbling(size: unknown, options?: unknown): unknown;
  hopping(size: unknown, options?: unknown): unknown;
  session(gap: unknown, options?: unknown): unknown;
  count(where?: unknown): unknown;
  sum(of?: unknown): unknown;
}

/** What a pipeline with one change of a good one says, or that nothing is wrong. */
function saidOf(define: () => unknown): string {
  try {
    define();
    return 'nothing';
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  }
}

function pipeline(change: object): string {
  const good = {
    name: 'sales',
    schema,
    key: 'place',
    time: 'at',
    windows: ({ tumbling, count }: AnyScope) => ({
      hours: tumbling('1 hour', { keep: { n: count() } }),
    }),
  };
  return saidOf(() => definePipeline({ ...good, ...change } as never));
}

const windows = (make: (scope: AnyScope) => unknown) =>
  pipeline({ windows: (scope: AnyScope) => ({ w: make(scope) }) });

const chain = (add: (chain: Record<string, (...args: unknown[]) => unknown>) => unknown) =>
  pipeline({ transform: add });

describe('a pipeline', () => {
  it.each([
    [{}, 'nothing'],
    [
      { windows: undefined },
      'sales.windows: got undefined, expected a function that gives windows',
    ],
    [{ windows: { hours: 1 } }, 'sales.windows: got {"hours":1}, expected a function'],
    [{ windows: () => 7 }, 'sales.windows: got 7, expected an object with at least one window'],
    [
      { windows: () => ({ 'per hour': 1 }) },
      "sales.windows.per hour: got 'per hour', expected a name",
    ],
    [{ windows: () => ({ hours: 1 }) }, 'sales.windows.hours: got 1, expected tumbling(…)'],
    [{ transform: 'upper' }, "sales.transform: got 'upper', expected a function of the chain"],
    [{ retention: 7 }, 'sales.retention: got 7, expected an object with stream, windows'],
    [
      { retention: { windows: '10 minutes' } },
      "sales.retention.windows: got '10 minutes', expected 1 hour to",
    ],
    [
      { objectives: { latency: { p95: '1 second' } } },
      "sales.objectives.latency.p95: got 'p95', expected p99",
    ],
    [
      { objectives: { quarantine: { maximum: '1 %' } } },
      'sales.objectives.quarantine.maximum: got',
    ],
    [
      { objectives: { quarantine: { max: '200 %' } } },
      "got '200 %', expected more than 0 and up to 100",
    ],
    [
      { objectives: { latency: { p99: '1 millisecond' } } },
      "got '1 millisecond', expected 100 milliseconds to 1 day",
    ],
    [{ format: 'json', id: 7 }, 'sales.id: got 7, expected the name of a field'],
    [{ key: '' }, "sales.key: got '', expected the name of a field, or a function of the event"],
    [{ name: 'x' }, "pipeline.name: got 'x', expected 2 to 40 lower-case letters"],
    [{ name: 'a-' }, "pipeline.name: got 'a-'"],
    [{ lateness: '1.5 milliseconds' }, 'expected whole milliseconds'],
  ])('with %j says: %s', (change, says) => {
    expect(pipeline(change)).toContain(says);
  });
});

describe('a window', () => {
  const keep = { n: { kind: 'count' } };

  it.each<[string, (scope: AnyScope) => unknown, string]>([
    [
      'without options',
      ({ tumbling }) => tumbling('1 hour'),
      'options of tumbling: got undefined, expected an object with by, keep',
    ],
    [
      'with a misspelt option',
      ({ tumbling }) => tumbling('1 hour', { keeps: keep }),
      "keeps: got 'keeps', expected keep, or one of by",
    ],
    [
      'of a second’s half',
      ({ tumbling }) => tumbling('500 milliseconds', { keep }),
      "sales.windows.w: got '500 milliseconds', expected 1 second to 31 days",
    ],
    [
      'that keeps nothing',
      ({ tumbling }) => tumbling('1 hour', { keep: {} }),
      'sales.windows.w.keep: got {}, expected an object with at least one column',
    ],
    [
      'that keeps what is no column',
      ({ tumbling }) => tumbling('1 hour', { keep: { n: 7 } }),
      'sales.windows.w.keep.n: got 7, expected a column',
    ],
    [
      'with a column of no field',
      ({ tumbling, sum }) => tumbling('1 hour', { keep: { n: sum() } }),
      'sales.windows.w.keep.n: got undefined, expected a field or a function of the row: sum(field)',
    ],
    [
      'with a column of no name',
      ({ tumbling, count }) => tumbling('1 hour', { keep: { 'n!': count() } }),
      "sales.windows.w.keep.n!: got 'n!', expected a name",
    ],
    [
      'by what is no field',
      ({ tumbling, count }) => tumbling('1 hour', { by: [7], keep: { n: count() } }),
      'sales.windows.w.by: got [7], expected a field or a list of fields',
    ],
    [
      'of a part that is no function',
      ({ tumbling, count }) => tumbling('1 hour', { where: 'late', keep: { n: count() } }),
      "sales.windows.w.where: got 'late', expected a function of the row",
    ],
    [
      'of no groups',
      ({ tumbling, count }) => tumbling('1 hour', { groups: 0, keep: { n: count() } }),
      'sales.windows.w.groups: got 0, expected a whole number from 1',
    ],
    [
      'that is late by a colour',
      ({ tumbling, count }) => tumbling('1 hour', { lateness: 'red', keep: { n: count() } }),
      "sales.windows.w.lateness: got 'red', expected a number and a unit",
    ],
    [
      'that hops past itself',
      ({ hopping, count }) => hopping('1 hour', { every: '2 hours', keep: { n: count() } }),
      "sales.windows.w.every: got '2 hours', expected 1 second to 1 hour",
    ],
    [
      'that hops unevenly',
      ({ hopping, count }) => hopping('1 hour', { every: '25 minutes', keep: { n: count() } }),
      "sales.windows.w.every: got '25 minutes', expected a divisor of the size, '1 hour'",
    ],
    [
      'that hops too often',
      ({ hopping, count }) => hopping('1 hour', { every: '10 seconds', keep: { n: count() } }),
      'at most 100 times',
    ],
    [
      'of sessions without an end',
      ({ session, count }) => session('1 minute', { keep: { n: count() } }),
      'sales.windows.w.max: got undefined',
    ],
    [
      'of sessions longer than their end',
      ({ session, count }) => session('2 hours', { max: '1 hour', keep: { n: count() } }),
      "sales.windows.w.gap: got '2 hours'",
    ],
  ])('%s says so', (_what, make, says) => {
    expect(windows(make)).toContain(says);
  });
});

describe('a transform', () => {
  const enrich = (as: unknown, from: unknown, options: unknown) =>
    chain((events) => events.enrich?.(as, from, options));

  it.each([
    [
      'maps by no function',
      chain((events) => events.map?.('upper')),
      "sales.transform[0].map: got 'upper', expected a function of the row",
    ],
    [
      'filters by no function',
      chain((events) => events.filter?.(true)),
      'sales.transform[0].filter: got true',
    ],
    [
      'multiplies by no function',
      chain((events) => events.flatMap?.()),
      'sales.transform[0].flatMap: got undefined',
    ],
    [
      'ends elsewhere',
      chain(() => undefined),
      'sales.transform: got undefined, expected the chain that it was given',
    ],
    [
      'enriches as nothing',
      enrich('', airports, { on: 'place' }),
      "sales.transform[0].enrich: got '', expected the name of the new field",
    ],
    [
      'enriches from what is no reference',
      enrich('from', {}, { on: 'place' }),
      'sales.transform[0].enrich.from: got {}, expected a value of reference',
    ],
    [
      'enriches on nothing',
      enrich('from', airports, {}),
      'sales.transform[0].enrich.from.on: got undefined, expected the name of a field',
    ],
    [
      'enriches with a wrong choice',
      enrich('from', airports, { on: 'place', missing: 'drop' }),
      "enrich.from.missing: got 'drop', expected 'null' or 'quarantine'",
    ],
  ])('that %s says so', (_what, said, says) => {
    expect(said).toContain(says);
  });
});

describe('a feed', () => {
  const feed = (change: object) =>
    saidOf(() =>
      defineFeed({ file: 'rows.csv', time: () => 0, data: () => ({}), ...change } as never),
    );

  it.each([
    [{}, 'nothing'],
    [
      { file: 'rows.xls' },
      "feed.file: got 'rows.xls', expected a .parquet, .json, .jsonl or .csv file",
    ],
    [{ limit: 0 }, 'feed.limit: got 0, expected a whole number from 1 to 10000000'],
    [{ limit: 1.5 }, 'feed.limit: got 1.5'],
    [{ time: 'date' }, "feed.time: got 'date', expected a function of the row"],
    [{ data: undefined }, 'feed.data: got undefined, expected a function of the row'],
  ])('with %j says: %s', (change, says) => {
    expect(feed(change)).toContain(says);
  });
});

describe('a reference', () => {
  const made = (change: object) =>
    saidOf(() =>
      reference({ name: 'airports', file: 'a.csv', key: 'iata', schema, ...change } as never),
    );

  it.each([
    [{}, 'nothing'],
    [{ name: '1st' }, "reference.name: got '1st', expected letters, digits and dashes"],
    [
      { file: 'a.parquet' },
      "reference.airports.file: got 'a.parquet', expected a .csv or .json file",
    ],
    [{ key: '' }, "reference.airports.key: got '', expected the name of a column"],
    [{ schema: {} }, 'reference.airports.schema: got {}, expected a Standard Schema'],
  ])('with %j says: %s', (change, says) => {
    expect(made(change)).toContain(says);
  });
});
