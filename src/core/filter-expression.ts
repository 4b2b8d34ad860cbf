import { DefinitionError } from './errors.ts';

/** A value that a field is compared with. */
type Literal = string | number | boolean | null;

/** One comparison of a field. */
interface Term {
  readonly path: readonly string[];
  readonly test: (found: unknown) => boolean;
}

const EXPECTED = `comparisons joined by 'and', such as: origin = 'ATL' and delay >= 15 (=, !=, <, <=, >, >=; texts in single quotes, numbers, true, false, null; nested fields with dots)`;

const TERM =
  /^\s*([A-Za-z_][\w.]*)\s*(=|!=|<=|>=|<|>)\s*('(?:[^']|'')*'|-?\d+(?:\.\d+)?|true|false|null)\s*/;

/**
 * Makes a predicate of an expression over an event's fields. A field that isn't there is null; an order is
 * told of two numbers or two texts only, a date counts as its milliseconds.
 *
 * @example parseFilter("origin = 'ATL' and delay >= 15")({ origin: 'ATL', delay: 20 }) // true
 * @throws DefinitionError when the text is no such expression
 */
export function parseFilter(text: string): (event: unknown) => boolean {
  const terms: Term[] = [];
  let rest = text;
  for (;;) {
    const match = TERM.exec(rest);
    if (match === null) throw new DefinitionError('filter', text, EXPECTED);
    const [all, path = '', operator = '', literal = ''] = match;
    terms.push({ path: path.split('.'), test: testOf(operator, literalOf(literal)) });
    rest = rest.slice(all.length);
    if (rest === '') return (event) => terms.every((term) => term.test(fieldOf(event, term.path)));
    if (!/^and\s/.test(rest)) throw new DefinitionError('filter', text, EXPECTED);
    rest = rest.slice(3);
  }
}

function literalOf(text: string): Literal {
  if (text.startsWith("'")) return text.slice(1, -1).replaceAll("''", "'");
  if (text === 'null') return null;
  return text === 'true' || text === 'false' ? text === 'true' : Number(text);
}

function fieldOf(event: unknown, path: readonly string[]): unknown {
  let value = event;
  for (const name of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return null;
    value = Reflect.get(value, name);
  }
  return value instanceof Date ? value.getTime() : (value ?? null);
}

function testOf(operator: string, literal: Literal): (found: unknown) => boolean {
  if (operator === '=') return (found) => found === literal;
  if (operator === '!=') return (found) => found !== literal;
  return (found) => {
    const order = orderOf(found, literal);
    if (order === undefined) return false;
    if (operator === '<') return order < 0;
    if (operator === '<=') return order <= 0;
    return operator === '>' ? order > 0 : order >= 0;
  };
}

function orderOf(found: unknown, literal: Literal): number | undefined {
  if (typeof found === 'number' && typeof literal === 'number') return found - literal;
  if (typeof found !== 'string' || typeof literal !== 'string') return undefined;
  if (found === literal) return 0;
  return found < literal ? -1 : 1;
}
