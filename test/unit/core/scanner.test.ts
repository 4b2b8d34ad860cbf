import { describe, expect, it } from 'vitest';
import { Scanner, Words } from '../../../src/core/scanner.ts';

const scanner = new Scanner();
const bytesOf = (text: string) => Buffer.from(text);

/** A value read, or undefined where it failed. */
function read<Value>(text: string, how: (bytes: Uint8Array) => Value): Value | undefined {
  const value = how(bytesOf(text));
  return scanner.at < 0 ? undefined : value;
}

describe('a number', () => {
  it.each(['0', '-0', '7', '-12', '123456789012345', '0.1', '-2.5e-3', '1E9', '9007199254740993'])(
    '%s is what JSON.parse gives',
    (text) => {
      const value = read(`${text},`, (bytes) => scanner.number(bytes, 0));
      expect(Object.is(value, JSON.parse(text))).toBe(true);
      expect(scanner.at).toBe(text.length);
    },
  );

  it.each(['', '-', '01', '-01', '1.', '.5', '1e', '1e999', '--1', '1.2.3'])(
    '"%s" is none',
    (text) => {
      expect(read(`${text},`, (bytes) => scanner.number(bytes, 0))).toBeUndefined();
    },
  );
});

describe('a text', () => {
  it.each(['""', '"ATL"', '"a b~!"'])(
    '%s is what JSON.parse gives, and ends behind its quote',
    (text) => {
      const words = new Words();
      expect(read(text, (bytes) => scanner.text(bytes, 0))).toBe(JSON.parse(text));
      expect(read(text, (bytes) => scanner.word(bytes, 0, words))).toBe(JSON.parse(text));
      expect(read(text, (bytes) => scanner.word(bytes, 0, words))).toBe(JSON.parse(text));
      expect(scanner.at).toBe(text.length);
    },
  );

  it.each(['"', '"a', 'a"', '"a\\n"', '"é"', '"\u001f"', '"\u007f"'])('%s fails', (text) => {
    expect(read(text, (bytes) => scanner.text(bytes, 0))).toBeUndefined();
    expect(read(text, (bytes) => scanner.word(bytes, 0, new Words()))).toBeUndefined();
  });

  it('of a long word is right, though it is not kept', () => {
    const text = JSON.stringify('x'.repeat(100));
    const words = new Words();
    expect(read(text, (bytes) => scanner.word(bytes, 0, words))).toHaveLength(100);
    expect(read(text, (bytes) => scanner.word(bytes, 0, words))).toHaveLength(100);
  });
});

describe('any value', () => {
  it.each(['1', 'null', 'true', '"x"', '[]', '{}', '[1, {"a": ["]"]}]'])('%s is read', (text) => {
    expect(read(`${text}}`, (bytes) => scanner.value(bytes, 0))).toEqual(JSON.parse(text));
    expect(scanner.at).toBe(text.length);
  });

  it('that does not end fails', () => {
    expect(read('[1,2', (bytes) => scanner.value(bytes, 0))).toBeUndefined();
    expect(read('["a', (bytes) => scanner.value(bytes, 0))).toBeUndefined();
  });

  it.each(['nul,', '[1}', '\t"é",', 'é'])('that is none throws: %j', (text) => {
    expect(() => scanner.value(bytesOf(text), 0)).toThrow(SyntaxError);
  });
});
