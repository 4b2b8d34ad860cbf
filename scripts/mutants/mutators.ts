import type { CallExpression, Node } from '@babel/types';

/** The kinds of change, each with what it does. The table of the report comes from here. */
export const MUTATORS = {
  boundary: '`<` and `<=`, `>` and `>=` in place of each other',
  negate: 'the opposite condition: `===` and `!==`, `<` and `>=`, `x` and `!x`',
  logical: '`&&` and `||` in place of each other; `&&` for `??`',
  arithmetic: '`+` and `-`, `*` and `/`, shifts, bit operations; also in assignments; `-x` as `x`',
  boolean: '`true` and `false` in place of each other',
  number: 'a number, or big integer, one more and one less',
  string: 'an empty string for a key or a discriminant; texts for people are left out',
  array: '`[]` for an array with elements, one element for `[]`',
  object: '`{}` for an object with properties',
  return: '`undefined` for what is returned',
  block: 'a body that is left out: of a function, branch, loop',
  call: 'a call, for its effect, that is left out',
  await: 'an `await` that is left out',
  optional: '`.` for `?.`',
  method:
    '`min` and `max`, `some` and `every`, `floor` and `ceil`; `sort`, `filter`, `slice` left out',
} as const satisfies Readonly<Record<string, string>>;

/** The name of a kind of change. */
export type MutatorName = keyof typeof MUTATORS;

/** Where a node stands. */
export interface Place {
  readonly parent: Node | undefined;
  /** The parent's property that holds it. */
  readonly key: string;
  /** The source text of a node. */
  readonly text: (node: Node) => string;
}

/** A text that stands in for the node's. */
export interface Change {
  readonly mutator: MutatorName;
  readonly to: string;
}

type Mutate = (node: Node, place: Place) => readonly string[];

/** Expression by expression, what is put in its place. */
const EXPRESSIONS: Readonly<Partial<Record<MutatorName, Mutate>>> = {
  boundary: (node, place) => swapOperator(node, place, BOUNDARIES),
  negate: negated,
  logical: (node, place) => swapOperator(node, place, LOGICALS),
  arithmetic: (node, place) =>
    node.type === 'UnaryExpression' && node.operator === '-' && !isNumber(node.argument)
      ? [place.text(node.argument)]
      : swapOperator(node, place, ARITHMETICS),
  boolean: (node) => (node.type === 'BooleanLiteral' ? [String(!node.value)] : []),
  number: numbers,
  string: (node) => (isKeyText(node) ? ["''"] : []),
  array: (node) => {
    if (node.type !== 'ArrayExpression') return [];
    return [node.elements.length > 0 ? '[]' : '[undefined]'];
  },
  object: (node) => (node.type === 'ObjectExpression' && node.properties.length > 0 ? ['{}'] : []),
  await: (node, place) => (node.type === 'AwaitExpression' ? [place.text(node.argument)] : []),
  optional: withoutOptional,
  method: methods,
};

/** What an expression is changed to, one change a mutant. */
export function changesOf(node: Node, place: Place): readonly Change[] {
  const changes = Object.entries(EXPRESSIONS).flatMap(([mutator, mutate]) =>
    mutate(node, place).map((to) => ({ mutator: mutator as MutatorName, to })),
  );
  const saysMore = changes.some(({ mutator }) => TELLING.has(mutator));
  return isReturned(node, place) && !saysMore
    ? [...changes, { mutator: 'return', to: 'undefined' }]
    : changes;
}

/** Changes that alter a returned value as much as leaving it out would. */
const TELLING: ReadonlySet<MutatorName> = new Set([
  'negate',
  'boolean',
  'array',
  'object',
  'string',
  'number',
]);

const BOUNDARIES = { '<': '<=', '<=': '<', '>': '>=', '>=': '>' };

const OPPOSITES = {
  '===': '!==',
  '!==': '===',
  '<': '>=',
  '>=': '<',
  '>': '<=',
  '<=': '>',
};

const LOGICALS = { '&&': '||', '||': '&&', '??': '&&', '??=': '&&=', '||=': '&&=', '&&=': '||=' };

const ARITHMETICS = {
  '+': '-',
  '-': '+',
  '*': '/',
  '/': '*',
  '%': '*',
  '**': '*',
  '<<': '>>',
  '>>': '<<',
  '>>>': '<<',
  '&': '|',
  '|': '&',
  '^': '&',
  '+=': '-=',
  '-=': '+=',
  '*=': '/=',
  '/=': '*=',
  '^=': '&=',
};

function swapOperator(
  node: Node,
  { text }: Place,
  swaps: Readonly<Record<string, string>>,
): readonly string[] {
  if (
    node.type !== 'BinaryExpression' &&
    node.type !== 'LogicalExpression' &&
    node.type !== 'AssignmentExpression'
  )
    return [];
  const operator = swaps[node.operator];
  if (operator === undefined) return [];
  // Parentheses belong to no node: they stand between the operands.
  const [start, left, right] = [node.start ?? 0, node.left.end ?? 0, node.right.start ?? 0];
  const whole = text(node);
  const between = whole.slice(left - start, right - start).replace(node.operator, () => operator);
  return [`${whole.slice(0, left - start)}${between}${whole.slice(right - start)}`];
}

function negated(node: Node, place: Place): readonly string[] {
  const swapped = node.type === 'BinaryExpression' ? swapOperator(node, place, OPPOSITES) : [];
  if (swapped.length > 0) return swapped;
  if (node.type === 'UnaryExpression' && node.operator === '!') return [place.text(node.argument)];
  return isCondition(place) && isPlain(node) ? [`!(${place.text(node)})`] : [];
}

/** True for what decides by itself: its parts hold no conditions that are negated. */
function isPlain(node: Node): boolean {
  return node.type !== 'LogicalExpression' && node.type !== 'BooleanLiteral';
}

function isCondition({ parent, key }: Place): boolean {
  if (key === 'test') return true;
  return parent?.type === 'LogicalExpression' && parent.operator !== '??' && key === 'left';
}

function numbers(node: Node, { parent }: Place): readonly string[] {
  if (node.type === 'UnaryExpression' && node.operator === '-' && isNumber(node.argument)) {
    return around(-numberIn(node.argument));
  }
  const isNegative = parent?.type === 'UnaryExpression' && parent.operator === '-';
  if (!isNumber(node) || isNegative) return [];
  const suffix = node.type === 'BigIntLiteral' ? 'n' : '';
  return around(numberIn(node)).map((value) => `${value}${suffix}`);
}

function isNumber(node: Node): boolean {
  const isLiteral = node.type === 'NumericLiteral' || node.type === 'BigIntLiteral';
  return isLiteral && Number.isSafeInteger(numberIn(node));
}

function numberIn(node: Node): number {
  if (node.type === 'NumericLiteral') return node.value;
  return node.type === 'BigIntLiteral' ? Number(node.value) : Number.NaN;
}

/** One more and one less; 0 has only 1, as less than nothing is seldom a mistake that is made. */
function around(value: number): readonly string[] {
  return value === 0 ? ['1'] : [String(value + 1), String(value - 1)];
}

function isKeyText(node: Node): boolean {
  if (node.type === 'StringLiteral') return node.value !== '' && !/\s/.test(node.value);
  return node.type === 'TemplateLiteral';
}

/** At the top of a chain: each `?.` of it as `.`, `[` or `(`. */
function withoutOptional(node: Node, { parent, key, text }: Place): readonly string[] {
  if (!isChain(node)) return [];
  const goesOn = parent !== undefined && isChain(parent) && (key === 'object' || key === 'callee');
  if (goesOn) return [];
  const whole = text(node);
  return linksOf(node).map((end) => {
    // A parenthesis may stand between.
    const at = whole.indexOf('?.', end - (node.start ?? 0));
    const rest = whole.slice(at + 2);
    return `${whole.slice(0, at)}${/^[[(]/.test(rest) ? '' : '.'}${rest}`;
  });
}

function isChain(node: Node): boolean {
  return node.type === 'OptionalMemberExpression' || node.type === 'OptionalCallExpression';
}

/** Where what stands before each `?.` of a chain ends. */
function linksOf(node: Node): readonly number[] {
  if (node.type !== 'OptionalMemberExpression' && node.type !== 'OptionalCallExpression') return [];
  const inner = node.type === 'OptionalMemberExpression' ? node.object : node.callee;
  return [...linksOf(inner), ...(node.optional ? [inner.end ?? 0] : [])];
}

const SWAPPED: Readonly<Record<string, string>> = {
  min: 'max',
  max: 'min',
  some: 'every',
  every: 'some',
  floor: 'ceil',
  ceil: 'floor',
  round: 'floor',
  startsWith: 'endsWith',
  padStart: 'padEnd',
  push: 'unshift',
};

const LEFT_OUT: ReadonlySet<string> = new Set(['sort', 'filter', 'slice', 'reverse']);

function methods(node: Node, { text }: Place): readonly string[] {
  const name = node.type === 'CallExpression' ? methodOf(node) : undefined;
  if (node.type !== 'CallExpression' || name === undefined) return [];
  const { callee } = node;
  if (callee.type !== 'MemberExpression') return [];
  if (LEFT_OUT.has(name)) return [text(callee.object)];
  const swapped = Object.hasOwn(SWAPPED, name) ? SWAPPED[name] : undefined;
  if (swapped === undefined) return [];
  const whole = text(node);
  const start = node.start ?? 0;
  const [from, to] = [(callee.property.start ?? 0) - start, (callee.property.end ?? 0) - start];
  return [`${whole.slice(0, from)}${swapped}${whole.slice(to)}`];
}

function methodOf({ callee }: CallExpression): string | undefined {
  const isNamed = callee.type === 'MemberExpression' && !callee.computed;
  return isNamed && callee.property.type === 'Identifier' ? callee.property.name : undefined;
}

/** True for what a function gives back. */
function isReturned(node: Node, { parent, key }: Place): boolean {
  if (parent?.type === 'ReturnStatement') return !isNothing(node);
  const isBody = parent?.type === 'ArrowFunctionExpression' && key === 'body';
  return isBody && node.type !== 'BlockStatement' && !isNothing(node);
}

function isNothing(node: Node): boolean {
  return node.type === 'Identifier' && node.name === 'undefined';
}
