import {
  type Field,
  finite,
  isPlainFunction,
  isPlainPattern,
  library,
  type NumberCheck,
  objectOf,
  property,
  type Shape,
  type TextCheck,
} from './shape.ts';

/**
 * The shape of a valibot 1 schema, read as its documentation describes schema objects (https://valibot.dev, mental
 * model: `kind`, `type`, `entries`, `pipe`); what isn't known here goes to the library, field by field.
 */
export function valibotShape(schema: unknown, access: string): Shape {
  const pipe = property(schema, 'pipe');
  const [own, ...actions] = Array.isArray(pipe) ? pipe : [schema];
  const unknown = library(
    access,
    `valibot's ${String(property(schema, 'type'))}, or an action on it`,
  );
  if (property(own, 'kind') !== 'schema' || property(own, 'async') !== false) return unknown;
  let shape = KINDS[String(property(own, 'type'))]?.(
    own,
    pipe === undefined ? access : `${access}.pipe[0]`,
  );
  for (const [index, action] of actions.entries()) {
    shape = shape && withAction(shape, action, `${access}.pipe[${index + 1}]`);
  }
  return shape ?? unknown;
}

/** Undefined: not known. */
type Reader = (schema: unknown, access: string) => Shape | undefined;

const KINDS: Readonly<Record<string, Reader>> = {
  string: () => ({ kind: 'text', checks: [] }),
  number: () => ({ kind: 'number', checks: [] }),
  boolean: () => ({ kind: 'boolean' }),
  picklist: (schema) => oneOf(property(schema, 'options')),
  literal: (schema) => oneOf([property(schema, 'literal')]),
  nullable: (schema, access) =>
    property(schema, 'default') === undefined
      ? { kind: 'nullable', of: valibotShape(property(schema, 'wrapped'), `${access}.wrapped`) }
      : undefined,
  tuple: (schema, access) => {
    const items = property(schema, 'items');
    if (!Array.isArray(items) || items.length === 0) return undefined;
    return {
      kind: 'tuple',
      items: items.map((item, index) => valibotShape(item, `${access}.items[${index}]`)),
    };
  },
  object: readObject,
};

function readObject(schema: unknown, access: string): Shape | undefined {
  const entries = property(schema, 'entries');
  if (typeof entries !== 'object' || entries === null) return undefined;
  const fields = Object.entries(entries).map(([name, member]): Field => {
    const own = `${access}.entries[${JSON.stringify(name)}]`;
    const isOptional =
      property(member, 'type') === 'optional' &&
      property(member, 'default') === undefined &&
      property(member, 'pipe') === undefined;
    if (!isOptional) return { name, isOptional, shape: valibotShape(member, own) };
    return { name, isOptional, shape: valibotShape(property(member, 'wrapped'), `${own}.wrapped`) };
  });
  return objectOf(access, fields);
}

function oneOf(values: unknown): Shape | undefined {
  const isKnown =
    Array.isArray(values) &&
    values.every((value) => typeof value === 'string' && /^[ -~]*$/.test(value));
  return isKnown ? { kind: 'oneOf', values } : undefined;
}

/** A shape with one more action of its pipe; after a function there may be no check. */
function withAction(shape: Shape, action: unknown, access: string): Shape | undefined {
  const operation = property(action, 'operation');
  if (property(action, 'type') === 'transform' && isPlainFunction(operation)) {
    return shape.kind === 'library'
      ? undefined
      : { kind: 'mapped', of: shape, access: `${access}.operation` };
  }
  if (property(action, 'kind') !== 'validation' || property(action, 'async') !== false)
    return undefined;
  if (shape.kind === 'text') {
    const check = textCheck(action, access);
    return check && { kind: 'text', checks: [...shape.checks, check] };
  }
  if (shape.kind !== 'number') return undefined;
  const check = numberCheck(action);
  return check && { kind: 'number', checks: [...shape.checks, check] };
}

const LENGTHS = { length: 'lengthIs', min_length: 'lengthMin', max_length: 'lengthMax' } as const;

function textCheck(action: unknown, access: string): TextCheck | undefined {
  const requirement = property(action, 'requirement');
  const type = String(property(action, 'type'));
  if (type === 'regex' && isPlainPattern(requirement)) {
    return { type: 'pattern', access: `${access}.requirement` };
  }
  const value = finite(requirement);
  if (value === undefined || !(type in LENGTHS)) return undefined;
  return { type: LENGTHS[type as keyof typeof LENGTHS], value };
}

const BOUNDS = {
  min_value: 'min',
  max_value: 'max',
  gt_value: 'above',
  lt_value: 'below',
} as const;

function numberCheck(action: unknown): NumberCheck | undefined {
  const type = String(property(action, 'type'));
  if (type === 'safe_integer') return { type: 'safeInteger' };
  const value = finite(property(action, 'requirement'));
  if (value === undefined || !(type in BOUNDS)) return undefined;
  return { type: BOUNDS[type as keyof typeof BOUNDS], value };
}
