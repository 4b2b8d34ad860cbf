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
 * The shape of a zod 4 schema. Definitions are read as zod's documentation for library authors has them
 * (https://zod.dev/library-authors, `_zod.def`); what isn't known here goes to the library, field by field.
 */
export function zodShape(schema: unknown, access: string): Shape {
  const def = property(property(schema, '_zod'), 'def');
  const read = KINDS[String(property(def, 'type'))];
  const known = read?.({ def, access: `${access}._zod.def` });
  return known ?? library(access, `zod's ${String(property(def, 'type'))}, or a check of it`);
}

interface Definition {
  readonly def: unknown;
  readonly access: string;
}

/** Undefined: not known. */
type Reader = (definition: Definition) => Shape | undefined;

const KINDS: Readonly<Record<string, Reader>> = {
  string: (definition) => {
    if (property(definition.def, 'coerce') === true) return undefined;
    const checks = checksOf(definition, textCheck);
    return checks && { kind: 'text', checks };
  },
  number: (definition) => {
    if (property(definition.def, 'coerce') === true) return undefined;
    const checks = checksOf(definition, numberCheck);
    return checks && { kind: 'number', checks };
  },
  boolean: ({ def }) =>
    hasChecks(def) || property(def, 'coerce') === true ? undefined : { kind: 'boolean' },
  enum: ({ def }) => oneOf(def, Object.values(Object(property(def, 'entries')))),
  literal: ({ def }) => oneOf(def, property(def, 'values')),
  nullable: ({ def, access }) =>
    hasChecks(def)
      ? undefined
      : { kind: 'nullable', of: zodShape(property(def, 'innerType'), `${access}.innerType`) },
  pipe: readPipe,
  object: readObject,
};

/** A schema and a function on what it gives; other pipes go to the library. */
function readPipe({ def, access }: Definition): Shape | undefined {
  const out = property(property(property(def, 'out'), '_zod'), 'def');
  const transform = property(out, 'transform');
  if (hasChecks(def) || property(out, 'type') !== 'transform' || hasChecks(out)) return undefined;
  if (!isPlainFunction(transform) || property(def, 'transform') !== undefined) return undefined;
  const of = zodShape(property(def, 'in'), `${access}.in`);
  if (of.kind === 'library') return undefined;
  return { kind: 'mapped', of, access: `${access}.out._zod.def.transform` };
}

function readObject({ def, access }: Definition): Shape | undefined {
  const shape = property(def, 'shape');
  if (hasChecks(def) || property(def, 'catchall') !== undefined) return undefined;
  if (typeof shape !== 'object' || shape === null) return undefined;
  const fields = Object.entries(shape).map(([name, member]): Field => {
    const own = `${access}.shape[${JSON.stringify(name)}]`;
    const inner = property(property(member, '_zod'), 'def');
    if (property(inner, 'type') === 'optional' && !hasChecks(inner)) {
      const of = zodShape(property(inner, 'innerType'), `${own}._zod.def.innerType`);
      return { name, isOptional: true, shape: of };
    }
    return { name, isOptional: false, shape: zodShape(member, own) };
  });
  return objectOf(access.replace(/\._zod\.def$/, ''), fields);
}

function oneOf(def: unknown, values: unknown): Shape | undefined {
  const isKnown =
    Array.isArray(values) &&
    values.every((value) => typeof value === 'string' && /^[ -~]*$/.test(value));
  return isKnown && !hasChecks(def) ? { kind: 'oneOf', values } : undefined;
}

function hasChecks(def: unknown): boolean {
  const checks = property(def, 'checks');
  return Array.isArray(checks) && checks.length > 0;
}

/**
 * The checks in a definition, the one that it is itself first; undefined when some check isn't known. When a check is
 * to be left out, as zod's `when` can say, need not be known: what fails a check here is looked at by the library.
 */
function checksOf<Check>(
  { def, access }: Definition,
  read: (definition: Definition) => Check | undefined,
): readonly Check[] | undefined {
  const listed = property(def, 'checks') ?? [];
  if (!Array.isArray(listed)) return undefined;
  const all = listed.map((check, index) => ({
    def: property(property(check, '_zod'), 'def'),
    access: `${access}.checks[${index}]._zod.def`,
  }));
  if (property(def, 'check') !== undefined) all.unshift({ def, access });
  const checks = all.map(read);
  const known = checks.filter((check) => check !== undefined);
  return known.length === checks.length ? known : undefined;
}

function textCheck({ def, access }: Definition): TextCheck | undefined {
  switch (property(def, 'check')) {
    case 'length_equals':
      return lengthCheck('lengthIs', property(def, 'length'));
    case 'min_length':
      return lengthCheck('lengthMin', property(def, 'minimum'));
    case 'max_length':
      return lengthCheck('lengthMax', property(def, 'maximum'));
    case 'string_format':
      return formatCheck({ def, access });
    default:
      return undefined;
  }
}

function lengthCheck(type: 'lengthIs' | 'lengthMin' | 'lengthMax', length: unknown) {
  const value = finite(length);
  return value === undefined ? undefined : { type, value };
}

function formatCheck({ def, access }: Definition): TextCheck | undefined {
  const format = property(def, 'format');
  if (format === 'regex' && isPlainPattern(property(def, 'pattern'))) {
    return { type: 'pattern', access: `${access}.pattern` };
  }
  // With a precision or a local time the library takes less, or other texts, than the generated check.
  const isUsual = property(def, 'precision') === null && property(def, 'local') === false;
  return format === 'datetime' && isUsual ? { type: 'dateTime' } : undefined;
}

function numberCheck({ def }: Definition): NumberCheck | undefined {
  const check = property(def, 'check');
  const value = finite(property(def, 'value'));
  const isInclusive = property(def, 'inclusive') === true;
  if (check === 'greater_than' && value !== undefined) {
    return { type: isInclusive ? 'min' : 'above', value };
  }
  if (check === 'less_than' && value !== undefined) {
    return { type: isInclusive ? 'max' : 'below', value };
  }
  const isInteger = check === 'number_format' && property(def, 'format') === 'safeint';
  return isInteger ? { type: 'safeInteger' } : undefined;
}
