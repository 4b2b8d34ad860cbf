import { DefinitionError } from '../core/errors.ts';
import { parseExpression } from './expression.ts';
import { asSeries, computeValue } from './expression-value.ts';
import type { MetricName } from './metric.ts';
import type { MetricStore, Periods, Series } from './metric-store.ts';

/** One line of a graph, or one part of an alarm: a metric's statistic, or an expression over others. */
export type Query =
  | {
      readonly type: 'metric';
      readonly id: string;
      readonly metric: MetricName;
      readonly statistic: string;
    }
  | { readonly type: 'expression'; readonly id: string; readonly expression: string };

/** Where queries get their values from. */
export interface QuerySource {
  readonly store: Pick<MetricStore, 'series'>;
  readonly periods: Periods;
  /** What PERIOD answers, seconds. */
  readonly periodSeconds: number;
}

/**
 * The series of each query by its id. Expressions may use each other, in any order.
 *
 * @throws DefinitionError for an expression that uses itself, or an id that is not there
 */
export function runQueries(
  queries: readonly Query[],
  { store, periods, periodSeconds }: QuerySource,
): ReadonlyMap<string, Series> {
  const byId = new Map(queries.map((query) => [query.id, query]));
  const done = new Map<string, Series>();
  const find = (id: string, path: readonly string[]): Series | undefined => {
    const query = byId.get(id);
    const known = done.get(id);
    if (query === undefined || known !== undefined) return known;
    if (path.includes(id)) {
      throw new DefinitionError(
        'expression',
        [...path, id],
        'expressions that don’t use themselves',
      );
    }
    const series = compute(query, [...path, id]);
    done.set(id, series);
    return series;
  };
  const compute = (query: Query, path: readonly string[]): Series => {
    if (query.type === 'metric') return store.series(query.metric, query.statistic, periods);
    const { count } = periods;
    const scope = { find: (id: string) => find(id, path), count, periodSeconds };
    return asSeries(computeValue(parseExpression(query.expression), scope), scope);
  };
  for (const { id } of queries) find(id, []);
  return done;
}
