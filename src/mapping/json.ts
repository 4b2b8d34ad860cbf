/** A number as its JSON text has it: 300, 300.0 and 3e2 are one value and three texts. */
export class JsonNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  get value(): number {
    return Number(this.text);
  }
}

/** What a JSON text says, with the numbers as they were written. */
export type Json =
  | null
  | boolean
  | string
  | JsonNumber
  | readonly Json[]
  | { readonly [name: string]: Json };

/** @throws SyntaxError when the text is no JSON, RangeError when it nests too deeply */
export function parseJson(text: string): Json {
  return JSON.parse(text, withSource);
}

function withSource(
  _name: string,
  value: unknown,
  context?: { readonly source?: string },
): unknown {
  return typeof value === 'number' ? new JsonNumber(context?.source ?? String(value)) : value;
}

/** True for a JSON object, which arrays and numbers are not. */
export function isObject(json: Json | undefined): json is { readonly [name: string]: Json } {
  if (typeof json !== 'object' || json === null) return false;
  return !Array.isArray(json) && !(json instanceof JsonNumber);
}

/** A member of its own, or undefined: never what objects inherit. */
export function memberOf(json: Json | undefined, name: string): Json | undefined {
  return isObject(json) && Object.hasOwn(json, name) ? json[name] : undefined;
}
