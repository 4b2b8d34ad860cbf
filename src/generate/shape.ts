/**
 * What the generator knows of a schema, whatever its library. An `access` is the JavaScript expression that gives the
 * part of the schema at run time, where `schema` is the whole: functions and patterns can't be written into a module.
 */
export type Shape =
  | { readonly kind: 'text'; readonly checks: readonly TextCheck[] }
  | { readonly kind: 'number'; readonly checks: readonly NumberCheck[] }
  | { readonly kind: 'boolean' }
  | { readonly kind: 'oneOf'; readonly values: readonly string[] }
  | { readonly kind: 'nullable'; readonly of: Shape }
  /** A function of the user's on what stands there. */
  | { readonly kind: 'mapped'; readonly of: Shape; readonly access: string }
  | { readonly kind: 'tuple'; readonly items: readonly Shape[] }
  | { readonly kind: 'object'; readonly fields: readonly Field[] }
  /** What the generator doesn't know: parsed by JSON.parse, checked by the library. */
  | { readonly kind: 'library'; readonly access: string; readonly why: string };

/** A member of an object, in the schema's order. */
export interface Field {
  readonly name: string;
  readonly isOptional: boolean;
  readonly shape: Shape;
}

/** Checks of a text; lengths in UTF-16 units. */
export type TextCheck =
  | { readonly type: 'lengthIs' | 'lengthMin' | 'lengthMax'; readonly value: number }
  /** A regular expression at the access. */
  | { readonly type: 'pattern'; readonly access: string }
  | { readonly type: 'dateTime' };

/** Checks of a number. */
export type NumberCheck =
  | { readonly type: 'above' | 'below' | 'min' | 'max'; readonly value: number }
  | { readonly type: 'safeInteger' };

/** The part of the schema goes to its library. */
export function library(access: string, why: string): Shape {
  return { kind: 'library', access, why };
}

/** Members of an object: a bit each of an integer. */
const FIELDS_MAX = 30;

/** An object of some members, or the library where there are too many or one has a strange name. */
export function objectOf(access: string, fields: readonly Field[]): Shape {
  const strange = fields.find(({ name }) => name in Object.prototype || !/^[ -~]+$/.test(name));
  if (strange !== undefined) return library(access, `a member called ${strange.name}`);
  if (fields.length > FIELDS_MAX) return library(access, `more than ${FIELDS_MAX} members`);
  if (fields.length === 0) return library(access, 'an object without members');
  return { kind: 'object', fields };
}

/** A property of some object. */
export function property(of: unknown, name: string): unknown {
  return typeof of === 'object' && of !== null ? Reflect.get(of, name) : undefined;
}

/** A finite number, or undefined. */
export function finite(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** Whether it is a regular expression whose answers don't depend on those before. */
export function isPlainPattern(value: unknown): boolean {
  return value instanceof RegExp && !value.global && !value.sticky;
}

/** Whether it is a function that looks at nothing but its one argument. */
export function isPlainFunction(value: unknown): boolean {
  return typeof value === 'function' && value.length === 1;
}
