import { makeSeededRandom } from '../../src/adapters/memory/random.ts';

/** Dice with a seed. */
export class FuzzDice {
  readonly #random: { next(): number };

  constructor(seed: number) {
    this.#random = makeSeededRandom(seed);
  }

  /** True with a chance of 0 to 1. */
  chance(share: number): boolean {
    return this.#random.next() < share;
  }

  /** A whole number from 0 to below `count`. */
  below(count: number): number {
    return Math.floor(this.#random.next() * count);
  }

  /** One of some values. */
  one<Value>(values: readonly Value[]): Value {
    return values[this.below(values.length)] as Value;
  }
}

/** Numbers as JSON may write them, and as it may not. */
const NUMBERS = [
  ...['0', '-0', '1', '-1', '15.5', '-3.25', '0.1', '1e3', '1E-7', '2.50', '-0.0', '0e0'],
  ...['9007199254740991', '9007199254740993', '123456789012345678901234567890', '1e308', '1e309'],
  ...['-1e400', '5e-324', '1e-400', '0.30000000000000004', '179769313486231580793e289', '1e+2'],
  ...['01', '-', '+1', '.5', '1.', '1e', '0x10', 'NaN', 'Infinity', '-Infinity', '1_000', '--1'],
] as const;

/** A control character is no valid byte of a text when it stands there as it is. */
const CONTROLS = ['', '\u001f', '\n', '\t', '\u0000'] as const;

const TEXTS = [
  ...[
    '',
    'ATL',
    'a',
    'SFO ',
    'x'.repeat(70),
    'None',
    '2026-01-01T00:00:00.000Z',
    '1.0',
    'é',
    '日本',
  ],
  ...['2026-02-29T00:00:00Z', '2024-02-29T23:59:59.123Z', '2026-13-01T00:00:00.000Z'],
  ...['2026-01-01T24:00:00.000Z', '0000-02-29T00:00:00Z', '2026-01-01T00:00:00.0001Z'],
  ...[
    '2026-01-01T00:00:00+01:00',
    '\u0000',
    '\u007f',
    '"',
    '\\',
    '/',
    '\ud800',
    '\udfff',
    '😀',
    '\n',
  ],
] as const;

const KEYS = [
  '__proto__',
  'constructor',
  'toString',
  'extra',
  'id',
  'data',
  'specversion',
  '',
  'é',
  'originms',
];

/** A document's text: members in some order, with what producers and attackers do to it. */
export class DocumentFuzz {
  readonly #dice: FuzzDice;
  /** How wild the document is, 0 (as JSON.stringify writes it) to 1. */
  readonly #wild: number;

  constructor(dice: FuzzDice, wild: number) {
    this.#dice = dice;
    this.#wild = wild;
  }

  /** The text of a value, changed here and there. */
  text(value: unknown): string {
    if (this.#sometimes(0.04)) return this.#anything();
    if (typeof value === 'number' && this.#sometimes(0.2)) return this.#dice.one(NUMBERS);
    if (typeof value === 'string')
      return this.#string(this.#sometimes(0.1) ? this.#dice.one(TEXTS) : value);
    if (Array.isArray(value)) return this.#list(value);
    if (typeof value === 'object' && value !== null) return this.#object(value);
    return JSON.stringify(value);
  }

  #object(value: object): string {
    const members = Object.entries(value).map(([name, one]) => this.#member(name, one));
    if (this.#sometimes(0.15)) members.reverse();
    if (this.#sometimes(0.1)) members.splice(this.#dice.below(members.length + 1), 1);
    if (this.#sometimes(0.15)) {
      const name = this.#dice.one([...KEYS, ...Object.keys(value)]);
      members.splice(this.#dice.below(members.length + 1), 0, this.#member(name, 1));
    }
    if (this.#sometimes(0.1)) members.push(...members.slice(0, 1));
    return `{${this.#space()}${members.join(this.#separator())}${this.#space()}}`;
  }

  #member(name: string, value: unknown): string {
    return `${this.#string(name)}${this.#space()}:${this.#space()}${this.text(value)}`;
  }

  #list(values: readonly unknown[]): string {
    const items = values.map((value) => this.text(value));
    if (this.#sometimes(0.1)) items.push(this.#anything());
    if (this.#sometimes(0.05)) items.pop();
    return `[${items.join(this.#separator())}]`;
  }

  #string(value: string): string {
    if (!this.#sometimes(0.05))
      return this.#sometimes(0.03)
        ? `"${value}${this.#dice.one(CONTROLS)}"`
        : JSON.stringify(value);
    const units = [...value].map((unit) =>
      this.#dice.chance(0.3) ? `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}` : unit,
    );
    return `"${units.join('')}"`;
  }

  #anything(): string {
    const nested = [
      'null',
      'true',
      'false',
      '[]',
      '{}',
      '[1,[2,{"a":"b"}]]',
      '{"a":{"b":[null]}}',
      'nul',
      '[1,]',
      '{"a"}',
    ];
    return this.#dice.one([...NUMBERS, ...nested, ...TEXTS.map((text) => JSON.stringify(text))]);
  }

  #separator(): string {
    if (this.#sometimes(0.01)) return ',,';
    return `${this.#space()},${this.#space()}`;
  }

  #space(): string {
    return this.#sometimes(0.03)
      ? this.#dice.one([' ', '\n', '\t', '\r', '  ', '\u00a0', '\f'])
      : '';
  }

  #sometimes(share: number): boolean {
    return this.#wild > 0 && this.#dice.chance(share * this.#wild);
  }
}

/** Bytes with a flipped bit, a cut, a doubled or lost piece; mostly as they are. */
export function mutate(bytes: Buffer, dice: FuzzDice): Buffer {
  const at = dice.below(bytes.length);
  switch (dice.below(12)) {
    case 0:
      return bytes.subarray(0, at);
    case 1:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + dice.below(3))]);
    case 2:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(Math.max(0, at - 4))]);
    case 3: {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ (1 << dice.below(8));
      return changed;
    }
    case 4:
      return Buffer.concat([bytes, Buffer.from(dice.one([' ', '\n', '}', 'x', '\u0000', ',']))]);
    default:
      return bytes;
  }
}
