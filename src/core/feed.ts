import { DefinitionError } from './errors.ts';

/** Real data that a local run sends through a pipeline. */
export interface Feed<Row = never> {
  readonly type: 'feed';
  readonly file: string;
  readonly rows: string;
  readonly limit: number;
  readonly ordered: boolean;
  readonly time: (row: Row) => Date | number;
  readonly id: (row: Row, index: number) => string;
  readonly data: (row: Row, context: FeedContext) => object;
}

/** What a feed's event is made with besides its row. */
export interface FeedContext {
  /** The row's time moved to the present, milliseconds since 1970 UTC. */
  readonly timeMs: number;
  /** Number of the row in the file, from 0. */
  readonly index: number;
}

/** Options of `defineFeed`. */
export interface FeedOptions<Row> {
  /** Relative to the pipeline's folder: .parquet, .json, .jsonl or .csv. */
  readonly file: string;
  /** Where the rows stand in a JSON file, such as `features`; default the whole document. */
  readonly rows?: string;
  /** How many rows are sent by default, in the order of their times; 1 to 10,000,000, default 50,000. */
  readonly limit?: number;
  /** True for a file in the order of time: then only the rows that are sent are read. Default false. */
  readonly ordered?: boolean;
  /** The row's own time; the run moves all times by the same whole number of days to the present. */
  readonly time: (row: Row) => Date | number;
  /** Default: the number of the row. */
  readonly id?: (row: Row, index: number) => string;
  /** The event's data as the pipeline's schema reads it. */
  readonly data: (row: Row, context: FeedContext) => object;
}

const LIMIT_MAX = 10_000_000;

/**
 * Declares the real data set that `npm start` sends through the pipeline of the same folder.
 *
 * @throws DefinitionError
 */
export function defineFeed<Row>(options: FeedOptions<Row>): Feed<Row> {
  const { file, rows = '', limit = 50_000, ordered = false, time, data } = options;
  if (typeof file !== 'string' || !/\.(parquet|json|jsonl|csv)$/.test(file)) {
    throw new DefinitionError('feed.file', file, 'a .parquet, .json, .jsonl or .csv file');
  }
  if (!Number.isInteger(limit) || limit < 1 || limit > LIMIT_MAX) {
    throw new DefinitionError('feed.limit', limit, `a whole number from 1 to ${LIMIT_MAX}`);
  }
  if (typeof time !== 'function')
    throw new DefinitionError('feed.time', time, 'a function of the row');
  if (typeof data !== 'function')
    throw new DefinitionError('feed.data', data, 'a function of the row');
  const id = options.id ?? ((_row: Row, index: number) => String(index));
  return Object.freeze({ type: 'feed' as const, file, rows, limit, ordered, time, id, data });
}
