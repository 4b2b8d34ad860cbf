import type { NumberCheck, Shape, TextCheck } from './shape.ts';

/** A member of an object that is read by statements of its own. */
export interface Member {
  readonly name: string;
  /** Statements that read the value at `p` into the variable and leave `p` behind it. */
  read(variable: string): string;
}

/**
 * Writes the JavaScript of a decoder: a function for each object, in which `b` are the bytes, `p` is the place and `s`
 * the scanner. Members are looked for in the order in which they are declared, and found in any.
 */
export class Emitter {
  readonly #constants: string[] = [];
  readonly #functions: string[] = [];
  readonly #fallbacks: string[] = [];
  #objects = 0;

  /** Declarations and functions, in their order. */
  get code(): string {
    return [...this.#constants, ...this.#functions].join('\n');
  }

  /** What goes to the schema library, and why: one a part of the schema. */
  get fallbacks(): readonly string[] {
    return this.#fallbacks;
  }

  /** Statements that read a value of a shape; `path` is where it stands, for people. */
  value(shape: Shape, variable: string, path: string): string {
    switch (shape.kind) {
      case 'text':
        return this.#text(shape.checks, variable);
      case 'number':
        return `${variable} = s.number(b, p); ${AFTER}${shape.checks.map((one) => numberCheck(one, variable)).join('')}`;
      case 'boolean':
        return `${variable} = s.boolean(b, p); ${AFTER}`;
      case 'oneOf':
        return `${this.word(variable)}if (${shape.values.map((value) => `${variable} !== ${JSON.stringify(value)}`).join(' && ')}) return s.fail();`;
      case 'nullable':
        return `if (b[p] === 110) { if (!s.literal(b, p, NULL)) return; ${variable} = null; p = s.at; } else { ${this.value(shape.of, variable, path)} }`;
      case 'mapped':
        return `${this.value(shape.of, variable, path)} ${variable} = ${this.#constant(shape.access)}(${variable}); if (${variable} instanceof Promise) return s.fail();`;
      case 'tuple':
        return this.#tuple(shape.items, variable, path);
      case 'object':
        return `${variable} = ${this.#object(shape.fields, path)}(b, p); ${AFTER}`;
      case 'library':
        this.#fallbacks.push(`${path === '' ? 'the whole' : path} (${shape.why})`);
        return `${variable} = s.value(b, p); ${AFTER}${variable} = validate(${this.#constant(shape.access)}, ${variable}); if (${variable} === NOTHING) return s.fail();`;
    }
  }

  /** Statements that read a text of which there are few. */
  word(variable: string): string {
    return `${variable} = s.word(b, p, ${this.#constant('new Words()', 'w')}); ${AFTER}`;
  }

  /**
   * A function that reads the members of an object, and its name.
   *
   * @param finish statements behind the closing brace, where `seen` has a bit for each member that was there
   */
  members(members: readonly Member[], finish: string): string {
    const name = `object${this.#objects}`;
    this.#objects += 1;
    const keys = members.map(({ name: key }) => Buffer.from(`${JSON.stringify(key)}:`));
    const variables = members.map((_, index) => `v${index}`);
    const cases = members.map((member, index) => {
      const bit = 1 << index;
      const value = member.read(`v${index}`);
      return `      case ${index}: if (seen & ${bit}) return s.fail(); seen |= ${bit}; p += ${keys[index]?.length}; ${value} next = ${index + 1}; break;`;
    });
    this.#functions.push(
      ...keys.map((key, index) => `const is_${name}_${index} = (b, p) => ${matching(key)};`),
      `function find_${name}(b, p, next) {`,
      `  switch (next) { ${keys.map((_, index) => `case ${index}: if (is_${name}_${index}(b, p)) return ${index}; break;`).join(' ')} }`,
      ...keys.map((_, index) => `  if (is_${name}_${index}(b, p)) return ${index};`),
      '  return -1;',
      '}',
      `function ${name}(b, start) {`,
      `  let ${[...variables, 'seen = 0', 'next = 0', 'p = start'].join(', ')};`,
      '  if (b[p] !== 123) return s.fail();',
      '  do {',
      '    p += 1;',
      `    switch (find_${name}(b, p, next)) {`,
      ...cases,
      `      default: s.skipKey(b, p); ${AFTER}s.skip(b, p); ${AFTER}`,
      '    }',
      '  } while (b[p] === 44);',
      '  if (b[p] !== 125) return s.fail();',
      '  s.at = p + 1;',
      `  ${finish}`,
      '}',
    );
    return name;
  }

  #object(fields: (Shape & { readonly kind: 'object' })['fields'], path: string): string {
    const members = fields.map(({ name, shape }) => ({
      name,
      read: (variable: string) =>
        this.value(shape, variable, path === '' ? name : `${path}.${name}`),
    }));
    const bits = fields.map((_, index) => 1 << index);
    const all = bits.reduce((sum, bit) => sum | bit, 0);
    const required = bits
      .filter((_, index) => fields[index]?.isOptional === false)
      .reduce((sum, bit) => sum | bit, 0);
    const whole = fields.map(({ name }, index) => `${JSON.stringify(name)}: v${index}`).join(', ');
    const parts = fields
      .map(
        ({ name }, index) => `if (seen & ${1 << index}) out[${JSON.stringify(name)}] = v${index};`,
      )
      .join(' ');
    return this.members(
      members,
      `if (seen === ${all}) return { ${whole} }; if ((seen & ${required}) !== ${required}) return s.fail(); const out = {}; ${parts} return out;`,
    );
  }

  #text(checks: readonly TextCheck[], variable: string): string {
    const isTime = checks.some(({ type }) => type === 'dateTime');
    // A time is seldom the same as one before.
    const read = isTime ? `${variable} = s.text(b, p); ${AFTER}` : this.word(variable);
    return `${read}${checks.map((check) => this.#textCheck(check, variable)).join('')}`;
  }

  #textCheck(check: TextCheck, variable: string): string {
    switch (check.type) {
      case 'lengthIs':
        return `if (${variable}.length !== ${check.value}) return s.fail();`;
      case 'lengthMin':
        return `if (${variable}.length < ${check.value}) return s.fail();`;
      case 'lengthMax':
        return `if (${variable}.length > ${check.value}) return s.fail();`;
      case 'pattern':
        return `if (!${this.#constant(check.access)}.test(${variable})) return s.fail();`;
      case 'dateTime':
        return `if (!isDateTime(${variable})) return s.fail();`;
    }
  }

  #tuple(items: readonly Shape[], variable: string, path: string): string {
    const reads = items.map((item, index) => {
      const closing = index === items.length - 1 ? 93 : 44;
      const own = `${variable}_${index}`;
      return `let ${own}; ${this.value(item, own, `${path}.${index}`)} if (b[p] !== ${closing}) return s.fail(); p += 1;`;
    });
    const names = items.map((_, index) => `${variable}_${index}`);
    return `if (b[p] !== 91) return s.fail(); p += 1; ${reads.join(' ')} ${variable} = [${names.join(', ')}];`;
  }

  #constant(expression: string, prefix = 'x'): string {
    const name = `${prefix}${this.#constants.length}`;
    this.#constants.push(`const ${name} = ${expression};`);
    return name;
  }
}

/** Takes over the scanner's place, or ends where it failed. */
const AFTER = 'p = s.at; if (p < 0) return; ';

const COMPARE = { above: '>', below: '<', min: '>=', max: '<=' } as const;

function numberCheck(check: NumberCheck, variable: string): string {
  if (check.type === 'safeInteger')
    return `if (!Number.isSafeInteger(${variable})) return s.fail();`;
  return `if (!(${variable} ${COMPARE[check.type]} ${check.value})) return s.fail();`;
}

function matching(key: Uint8Array): string {
  return [...key].map((byte, index) => `b[p + ${index}] === ${byte}`).join(' && ');
}
