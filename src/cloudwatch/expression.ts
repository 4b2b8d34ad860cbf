import { DefinitionError } from '../core/errors.ts';

/** Operators from the loosest to the tightest; those of one level are read from left to right. */
const LEVELS: readonly (readonly string[])[] = [
  ['OR', '||'],
  ['AND', '&&'],
  ['==', '!=', '<', '>', '<=', '>='],
  ['+', '-'],
  ['*', '/'],
  ['^'],
];

/** An operator that stands between two values. */
export type Operator =
  | 'OR'
  | 'AND'
  | '=='
  | '!='
  | '<'
  | '>'
  | '<='
  | '>='
  | '+'
  | '-'
  | '*'
  | '/'
  | '^';

/** A metric-math expression as a tree. */
export type Expression =
  | { readonly type: 'number'; readonly value: number }
  | { readonly type: 'id'; readonly id: string }
  | { readonly type: 'list'; readonly items: readonly Expression[] }
  | { readonly type: 'negative'; readonly of: Expression }
  | { readonly type: 'call'; readonly name: string; readonly parameters: readonly Expression[] }
  | {
      readonly type: 'operation';
      readonly operator: Operator;
      readonly left: Expression;
      readonly right: Expression;
    };

const TOKEN = /\s*(\d+(?:\.\d+)?(?:e-?\d+)?|[A-Za-z_]\w*|\|\||&&|[=!<>]=|[-+*/^<>(),[\]])/gy;

/**
 * Reads a metric-math expression: numbers, ids, lists, arithmetic, comparisons, AND, OR and functions.
 * docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
 *
 * @throws DefinitionError for anything else
 */
export function parseExpression(text: string): Expression {
  const parser = new Parser(text);
  const expression = parser.level(0);
  parser.end();
  return expression;
}

/** Reads an expression from left to right. Invariant: `#next` is the first token that is not used yet. */
class Parser {
  readonly #text: string;
  readonly #tokens: readonly string[];
  #next = 0;

  constructor(text: string) {
    this.#text = text;
    this.#tokens = tokensOf(text);
  }

  level(depth: number): Expression {
    const operators = LEVELS[depth];
    if (operators === undefined) return this.#unary();
    let left = this.level(depth + 1);
    while (operators.includes(this.#peek())) {
      const operator = operatorOf(this.#take());
      left = { type: 'operation', operator, left, right: this.level(depth + 1) };
    }
    return left;
  }

  end(): void {
    if (this.#next < this.#tokens.length) throw this.#wrong('the end');
  }

  #unary(): Expression {
    if (this.#peek() === '-') {
      this.#take();
      return { type: 'negative', of: this.#unary() };
    }
    const token = this.#take();
    if (/^\d/.test(token)) return { type: 'number', value: Number(token) };
    if (token === '[') return { type: 'list', items: this.#items(']') };
    if (token === '(') return this.#parenthesis();
    if (!/^\w/.test(token)) throw this.#wrong('a number, an id or a function', token);
    if (this.#peek() !== '(') return { type: 'id', id: token };
    this.#take();
    return { type: 'call', name: token, parameters: this.#items(')') };
  }

  #parenthesis(): Expression {
    const inner = this.level(0);
    this.#expect(')');
    return inner;
  }

  #items(close: string): readonly Expression[] {
    const items: Expression[] = [];
    while (this.#peek() !== close) {
      items.push(this.level(0));
      if (this.#peek() === ',') this.#take();
      else if (this.#peek() !== close) throw this.#wrong(`, or ${close}`);
    }
    this.#take();
    return items;
  }

  #peek(): string {
    return this.#tokens[this.#next] ?? '';
  }

  #take(): string {
    const token = this.#peek();
    this.#next += 1;
    return token;
  }

  #expect(token: string): void {
    if (this.#peek() !== token) throw this.#wrong(token);
    this.#take();
  }

  #wrong(expected: string, got = this.#peek()): DefinitionError {
    return new DefinitionError(`expression ${this.#text}`, got, expected);
  }
}

function tokensOf(text: string): readonly string[] {
  const trimmed = text.trim();
  const found = [...trimmed.matchAll(TOKEN)];
  const read = found.reduce((length, [all]) => length + all.length, 0);
  if (read === trimmed.length && read > 0) return found.map(([, token = '']) => token);
  throw new DefinitionError(`expression ${text}`, trimmed.slice(read), 'a metric-math expression');
}

function operatorOf(token: string): Operator {
  if (token === '||') return 'OR';
  if (token === '&&') return 'AND';
  return token as Operator;
}
