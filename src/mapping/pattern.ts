import { isObject, type Json, JsonNumber, memberOf } from './json.ts';
import { MappingSettingsError } from './settings-error.ts';

/** True when a value fits; undefined is a value that is not there. */
export type Test = (value: Json | undefined) => boolean;

type Scalar = null | boolean | string | JsonNumber;

/** A test of the scalars that stand at a path: one, several in an array, or none. */
type Leaf = (scalars: readonly Scalar[]) => boolean;

/**
 * Compiles an event pattern in the syntax of EventBridge, as far as Lambda's filters have it: exact values,
 * `prefix`, `suffix`, `equals-ignore-case`, `anything-but`, `numeric`, `exists`, and `$or` over several fields.
 * https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html#filtering-syntax
 *
 * @param at where the pattern stands, for errors
 * @throws MappingSettingsError on a pattern that is none
 */
export function compilePattern(pattern: Json, at: string): Test {
  if (!isObject(pattern) || Object.keys(pattern).length === 0) {
    throw new MappingSettingsError(at, textOf(pattern), 'a JSON object with at least one field');
  }
  const tests = Object.entries(pattern).map(([name, inner]) => {
    const path = `${at}.${name}`;
    if (name === '$or' && Array.isArray(inner) && inner.every(isObject)) return anyOf(inner, path);
    const test = Array.isArray(inner) ? compileLeaf(inner, path) : compilePattern(inner, path);
    return (value: Json | undefined) => test(memberOf(value, name));
  });
  return overArrays((value) => tests.every((test) => test(value)));
}

function anyOf(patterns: readonly Json[], at: string): Test {
  if (patterns.length < 2) {
    throw new MappingSettingsError(at, textOf(patterns), 'at least two patterns');
  }
  const tests = patterns.map((pattern, index) => compilePattern(pattern, `${at}[${index}]`));
  return (value) => tests.some((test) => test(value));
}

/** An array fits where one of its elements does. */
function overArrays(test: Test): Test {
  return (value) => (Array.isArray(value) ? value.some(overArrays(test)) : test(value));
}

function compileLeaf(matchers: readonly Json[], at: string): Test {
  if (matchers.length === 0) throw new MappingSettingsError(at, '[]', 'at least one value');
  const leaves = matchers.map((matcher, index) => compileMatcher(matcher, `${at}[${index}]`));
  return (value) => {
    const scalars = scalarsOf(value);
    return leaves.some((leaf) => leaf(scalars));
  };
}

/** Objects are no leaves: what is in them has paths of its own. */
function scalarsOf(value: Json | undefined): readonly Scalar[] {
  if (value === undefined || isObject(value)) return [];
  if (Array.isArray(value)) return value.flatMap(scalarsOf);
  return [value as Scalar];
}

function compileMatcher(matcher: Json, at: string): Leaf {
  if (isScalar(matcher)) return (scalars) => scalars.some((scalar) => isSame(scalar, matcher));
  const [[name, value] = ['', null], ...others] = isObject(matcher) ? Object.entries(matcher) : [];
  const compile =
    others.length === 0 && Object.hasOwn(OPERATORS, name) ? OPERATORS[name] : undefined;
  const leaf = compile?.(value);
  if (leaf !== undefined) return leaf;
  throw new MappingSettingsError(
    at,
    textOf(matcher),
    `a value, or one of ${Object.keys(OPERATORS).join(', ')} with what it takes`,
  );
}

function isScalar(value: Json): value is Scalar {
  return !Array.isArray(value) && !isObject(value);
}

/** Numbers compare by their text: https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html */
function isSame(left: Scalar, right: Scalar): boolean {
  if (left instanceof JsonNumber) return right instanceof JsonNumber && left.text === right.text;
  return left === right;
}

/** By name; each answers undefined where the value is not what it takes. */
const OPERATORS: Readonly<Record<string, (value: Json) => Leaf | undefined>> = {
  prefix: (value) => onTexts(value, (text, start) => text.startsWith(start)),
  suffix: (value) => onTexts(value, (text, end) => text.endsWith(end)),
  'equals-ignore-case': (value) =>
    onTexts(value, (text, other) => text.toLowerCase() === other.toLowerCase()),
  exists: (value) => {
    if (typeof value !== 'boolean') return undefined;
    return (scalars) => scalars.length > 0 === value;
  },
  'anything-but': anythingBut,
  numeric,
};

function onTexts(value: Json, test: (text: string, value: string) => boolean): Leaf | undefined {
  if (typeof value !== 'string') return undefined;
  return (scalars) => scalars.some((scalar) => typeof scalar === 'string' && test(scalar, value));
}

function anythingBut(value: Json): Leaf | undefined {
  const refused = Array.isArray(value) ? value : [value];
  if (refused.length === 0 || !refused.every(isScalar)) return undefined;
  return (scalars) =>
    scalars.some((scalar) => refused.every((other) => !isSame(scalar, other as Scalar)));
}

const COMPARISONS: Readonly<Record<string, (left: number, right: number) => boolean>> = {
  '=': (left, right) => left === right,
  '<': (left, right) => left < right,
  '<=': (left, right) => left <= right,
  '>': (left, right) => left > right,
  '>=': (left, right) => left >= right,
};

/** One comparison or two, such as `[">", 10, "<=", 20]`. */
function numeric(value: Json): Leaf | undefined {
  if (!Array.isArray(value) || (value.length !== 2 && value.length !== 4)) return undefined;
  const tests: ((number: number) => boolean)[] = [];
  for (let index = 0; index < value.length; index += 2) {
    const [operator, limit] = value.slice(index, index + 2);
    if (typeof operator !== 'string' || !Object.hasOwn(COMPARISONS, operator)) return undefined;
    if (!(limit instanceof JsonNumber)) return undefined;
    tests.push((number) => COMPARISONS[operator]?.(number, limit.value) === true);
  }
  return (scalars) =>
    scalars.some(
      (scalar) => scalar instanceof JsonNumber && tests.every((test) => test(scalar.value)),
    );
}

function textOf(json: Json): string {
  return JSON.stringify(json, (_name, value) =>
    value instanceof JsonNumber ? value.value : value,
  );
}
