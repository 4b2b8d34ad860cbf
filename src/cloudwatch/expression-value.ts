import { DefinitionError } from '../core/errors.ts';
import type { Expression, Operator } from './expression.ts';
import type { Series } from './metric-store.ts';

/** What an expression, or a part of it, is: a number, a series, or several series. */
export type Value = number | Series | { readonly list: readonly Series[] };

/** What ids stand for. */
export interface Scope {
  /** @returns undefined for an id that is not there */
  readonly find: (id: string) => Series | undefined;
  /** Points of each series. */
  readonly count: number;
  /** Length of a period in seconds, for PERIOD. */
  readonly periodSeconds: number;
}

/**
 * Computes an expression point by point. A value that is missing counts as 0 as long as another one is
 * there; a division by zero drops the point (both: "Basic arithmetic functions" of
 * docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html).
 *
 * @throws DefinitionError for an id that is not there, or a function that is not modelled
 */
export function computeValue(expression: Expression, scope: Scope): Value {
  switch (expression.type) {
    case 'number':
      return expression.value;
    case 'id':
      return seriesOf(expression.id, scope);
    case 'list':
      return { list: expression.items.map((item) => asSeries(computeValue(item, scope), scope)) };
    case 'negative':
      return pointwise([computeValue(expression.of, scope)], scope, ([value = 0]) => -value);
    case 'operation': {
      const sides = [computeValue(expression.left, scope), computeValue(expression.right, scope)];
      const operate = OPERATIONS[expression.operator];
      return pointwise(sides, scope, ([left = 0, right = 0]) => operate(left, right));
    }
    case 'call':
      return call(expression.name, expression.parameters, scope);
  }
}

/** A value as one series; a number is the same at each point. */
export function asSeries(value: Value, scope: Pick<Scope, 'count'>): Series {
  if (typeof value === 'number') return Array.from({ length: scope.count }, () => value);
  if ('list' in value) throw new DefinitionError('expression', 'several series', 'one series');
  return value;
}

const truth = (is: boolean) => (is ? 1 : 0);

const OPERATIONS: Readonly<Record<Operator, (left: number, right: number) => number | undefined>> =
  {
    OR: (left, right) => truth(left !== 0 || right !== 0),
    AND: (left, right) => truth(left !== 0 && right !== 0),
    '==': (left, right) => truth(left === right),
    '!=': (left, right) => truth(left !== right),
    '<': (left, right) => truth(left < right),
    '>': (left, right) => truth(left > right),
    '<=': (left, right) => truth(left <= right),
    '>=': (left, right) => truth(left >= right),
    '+': (left, right) => left + right,
    '-': (left, right) => left - right,
    '*': (left, right) => left * right,
    '/': (left, right) => (right === 0 ? undefined : left / right),
    '^': (left, right) => left ** right,
  };

type Point = number | undefined;

/** Applies a function at each point where at least one of the series has a value. */
function pointwise(
  values: readonly Value[],
  scope: Scope,
  apply: (points: readonly Point[]) => Point,
): Value {
  const numbers = values.filter((value) => typeof value === 'number');
  if (numbers.length === values.length) return apply(numbers) ?? Number.NaN;
  const series = values.map((value) => asSeries(value, scope));
  return Array.from({ length: scope.count }, (_, index) => {
    const points = series.map((one) => one[index]);
    const there = points.some(
      (point, side) => point !== undefined && typeof values[side] !== 'number',
    );
    return there ? apply(points) : undefined;
  });
}

function seriesOf(id: string, scope: Scope): Series {
  const found = scope.find(id);
  if (found !== undefined) return found;
  throw new DefinitionError(`expression: ${id}`, id, 'the id of a metric or expression');
}

/** Over all points of one series, or over several series point by point. */
const AGGREGATES: Readonly<Record<string, (values: readonly number[]) => number>> = {
  SUM: (values) => values.reduce((total, value) => total + value, 0),
  AVG: (values) => values.reduce((total, value) => total + value, 0) / values.length,
  MAX: (values) => Math.max(...values),
  MIN: (values) => Math.min(...values),
};

/** One value in, one out. */
const SIMPLE: Readonly<Record<string, (value: number) => number>> = {
  ABS: Math.abs,
  CEIL: Math.ceil,
  FLOOR: Math.floor,
};

function call(name: string, parameters: readonly Expression[], scope: Scope): Value {
  const values = parameters.map((parameter) => computeValue(parameter, scope));
  const [first, second, third] = values;
  const simple = SIMPLE[name];
  const aggregate = AGGREGATES[name];
  if (first !== undefined && simple !== undefined) {
    return pointwise([first], scope, ([value = 0]) => simple(value));
  }
  if (first !== undefined && aggregate !== undefined) return over(first, aggregate, scope);
  if (name === 'PERIOD' && first !== undefined) return scope.periodSeconds;
  if (name === 'FILL' && first !== undefined && second !== undefined) {
    const filler = asSeries(second, scope);
    return asSeries(first, scope).map((point, index) => point ?? filler[index]);
  }
  if (name === 'IF' && first !== undefined && second !== undefined) {
    return choose(first, [second, third], scope);
  }
  throw new DefinitionError(
    `expression: ${name}`,
    `${name} with ${values.length} values`,
    `one of ${[...Object.keys(SIMPLE), ...Object.keys(AGGREGATES), 'FILL', 'IF', 'PERIOD']}`,
  );
}

function over(value: Value, aggregate: (values: readonly number[]) => number, scope: Scope): Value {
  const present = (points: readonly Point[]) => points.filter((point) => point !== undefined);
  if (typeof value === 'number') return value;
  if (!('list' in value)) {
    const points = present(value);
    return points.length === 0 ? Number.NaN : aggregate(points);
  }
  return Array.from({ length: scope.count }, (_, index) => {
    const points = present(value.list.map((series) => series[index]));
    return points.length === 0 ? undefined : aggregate(points);
  });
}

/** Where the condition has no value there is no result; without an else neither. */
function choose(condition: Value, [yes, no]: readonly (Value | undefined)[], scope: Scope): Series {
  const whether = asSeries(condition, scope);
  const then = yes === undefined ? [] : asSeries(yes, scope);
  const otherwise = no === undefined ? [] : asSeries(no, scope);
  return whether.map((point, index) => {
    if (point === undefined) return undefined;
    return point === 0 ? otherwise[index] : then[index];
  });
}
