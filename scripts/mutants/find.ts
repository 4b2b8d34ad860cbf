import { parse } from '@babel/parser';
import { type Node, VISITOR_KEYS } from '@babel/types';
import { type Change, changesOf, type MutatorName, type Place } from './mutators.ts';

/** A place in a source file where something can be changed. */
export interface Site {
  /** Offsets into the text. */
  readonly start: number;
  readonly end: number;
  /** `statement`: left out as a whole; its only change has no text. */
  readonly kind: 'expression' | 'statement';
  readonly changes: Change[];
}

/**
 * Every place of a TypeScript source that has mutants, in the order of the text.
 *
 * Left out: types, imports, error classes, and what only tells people what went wrong: the arguments of
 * errors, messages, fields.
 *
 * @throws SyntaxError when the text is not TypeScript
 */
export function findSites(text: string): readonly Site[] {
  const { program } = parse(text, { sourceType: 'module', plugins: ['typescript'] });
  const sites = new Map<string, Site>();
  const add = (node: Node, kind: Site['kind'], changes: readonly Change[]) => {
    const [start, end] = [node.start ?? 0, node.end ?? 0];
    const name = `${start} ${end} ${kind}`;
    const site = sites.get(name) ?? { start, end, kind, changes: [] };
    site.changes.push(...changes);
    if (site.changes.length > 0) sites.set(name, site);
  };
  const textOf = (node: Node) => text.slice(node.start ?? 0, node.end ?? 0);
  walk(program, { parent: undefined, key: '', text: textOf }, (node, place) => {
    const left = leftOut(node, place);
    if (left !== undefined) add(node, 'statement', [{ mutator: left, to: '' }]);
    else if (isExpression(node, place)) add(node, 'expression', changesOf(node, place));
  });
  return [...sites.values()].sort((one, other) => one.start - other.start || other.end - one.end);
}

function walk(node: Node, place: Place, visit: (node: Node, place: Place) => void): void {
  if (isSkipped(node, place)) return;
  visit(node, place);
  for (const key of VISITOR_KEYS[node.type] ?? []) {
    const child: unknown = Reflect.get(node, key);
    for (const one of Array.isArray(child) ? child : [child]) {
      if (isNode(one)) walk(one, { ...place, parent: node, key }, visit);
    }
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value;
}

const TYPED = new Set(['TSAsExpression', 'TSSatisfiesExpression', 'TSNonNullExpression']);
const FOR_PEOPLE = new Set(['message', 'fields', 'cause', 'expected']);

function isSkipped(node: Node, place: Place): boolean {
  if (node.type.startsWith('TS') && !TYPED.has(node.type)) return true;
  if (node.type === 'ImportDeclaration' || node.type === 'TypeAnnotation') return true;
  if (node.type === 'ClassDeclaration') return /Error$/.test(nameOf(node.superClass));
  if (node.type === 'ObjectProperty') return FOR_PEOPLE.has(nameOf(node.key));
  if (node.type === 'VariableDeclarator') return FOR_PEOPLE.has(nameOf(node.id));
  const { parent, key } = place;
  if (parent?.type === 'NewExpression' && key === 'arguments') {
    return /Error$/.test(nameOf(parent.callee));
  }
  return node.type === 'TemplateLiteral' && isThrown(place);
}

/** True for a direct argument of a call that is thrown. */
function isThrown({ parent, key }: Place): boolean {
  return (
    parent?.type === 'CallExpression' &&
    key === 'arguments' &&
    /^(unanswered|tooLarge|noEnvelope)$/.test(nameOf(parent.callee))
  );
}

function nameOf(node: Node | null | undefined): string {
  return node?.type === 'Identifier' ? node.name : '';
}

/** The kind of change when a statement is left out, or undefined when it is not tried. */
function leftOut(node: Node, { parent, key }: Place): MutatorName | undefined {
  if (node.type === 'BlockStatement') return node.body.length > 0 ? 'block' : undefined;
  const isBody = key === 'consequent' || key === 'alternate' || key === 'body';
  const inList =
    parent?.type === 'BlockStatement' ||
    parent?.type === 'Program' ||
    parent?.type === 'SwitchCase';
  const isStatement = node.type.endsWith('Statement');
  if (isStatement && isBody && !inList) return 'block';
  if (node.type !== 'ExpressionStatement' || parent?.type !== 'BlockStatement') return undefined;
  return parent.body.length > 1 && isCall(node.expression) ? 'call' : undefined;
}

function isCall(node: Node): boolean {
  const called = node.type === 'AwaitExpression' ? node.argument : node;
  return called.type === 'CallExpression' || called.type === 'OptionalCallExpression';
}

/** True where another expression can stand in parentheses. */
function isExpression(node: Node, { parent, key }: Place): boolean {
  if (node.type.endsWith('Statement') || node.type === 'File' || node.type === 'Program')
    return false;
  const isKey =
    key === 'key' && parent !== undefined && !('computed' in parent && parent.computed === true);
  const isChained =
    parent?.type.startsWith('Optional') === true &&
    node.type.startsWith('Optional') &&
    key !== 'arguments';
  const isPart = key === 'quasis' || (parent?.type === 'TaggedTemplateExpression' && key !== 'tag');
  const isTarget = parent?.type === 'AssignmentExpression' && key === 'left';
  return !isKey && !isChained && !isPart && !isTarget;
}
