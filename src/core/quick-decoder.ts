import { NULL, Scanner, Words } from './scanner.ts';
import type { Schema } from './schema.ts';

/** A valid event, decoded without its document. */
export interface QuickEvent {
  /** What the schema gives. */
  readonly event: unknown;
  /** The envelope's id and source; undefined when the format has no envelope. */
  readonly id: string | undefined;
  readonly source: string | undefined;
}

/**
 * Decodes and validates in one go what it knows how to; undefined for everything else, good or bad, which then takes
 * the reference path: `decode` and the schema.
 */
export type QuickDecoder = (bytes: Uint8Array) => QuickEvent | undefined;

/** What a generated module is given. */
export interface DecoderTools {
  readonly Scanner: typeof Scanner;
  readonly Words: typeof Words;
  readonly NULL: Uint8Array;
  isDateTime(text: string): boolean;
  /** What a schema gives, or `NOTHING`. */
  validate(schema: Schema, value: unknown): unknown;
  readonly NOTHING: symbol;
}

/** What a generated module exports; see `generateDecoder`. */
export type MakeDecoder = (schema: unknown, tools: DecoderTools) => QuickDecoder;

/** A decoder of a generated module: whatever goes wrong in it, the reference path says what it is. */
export function quickDecoder(make: MakeDecoder, schema: Schema): QuickDecoder {
  const decode = make(schema, TOOLS);
  return (bytes) => {
    try {
      return decode(bytes);
    } catch {
      return undefined;
    }
  };
}

const NOTHING = Symbol('nothing');

const TOOLS: DecoderTools = { Scanner, Words, NULL, isDateTime, validate, NOTHING };

function validate(schema: Schema, value: unknown): unknown {
  const answer = schema['~standard'].validate(value);
  return answer instanceof Promise || answer.issues !== undefined ? NOTHING : answer.value;
}

const DAYS = [0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/**
 * Whether a text is a time as `Date.toISOString` writes it: `2026-11-25T12:00:00.000Z`, or without the fraction. What
 * libraries take is more; that goes the other way.
 */
function isDateTime(text: string): boolean {
  if (text.length !== 24 && text.length !== 20) return false;
  const hasFraction = text.length === 24;
  if (hasFraction && !(text.charCodeAt(19) === 0x2e && isNumber(text, 20, 3))) return false;
  if (text.charCodeAt(text.length - 1) !== 0x5a || !hasMarks(text)) return false;
  const year = numberAt(text, 0, 4);
  const month = numberAt(text, 5, 2);
  const day = numberAt(text, 8, 2);
  const inDay =
    numberAt(text, 11, 2) < 24 && numberAt(text, 14, 2) < 60 && numberAt(text, 17, 2) < 60;
  return year >= 0 && month >= 1 && month <= 12 && day >= 1 && day <= daysOf(year, month) && inDay;
}

function hasMarks(text: string): boolean {
  return (
    text.charCodeAt(4) === 0x2d &&
    text.charCodeAt(7) === 0x2d &&
    text.charCodeAt(10) === 0x54 &&
    text.charCodeAt(13) === 0x3a &&
    text.charCodeAt(16) === 0x3a
  );
}

function daysOf(year: number, month: number): number {
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return month === 2 && isLeap ? 29 : (DAYS[month] ?? 0);
}

function isNumber(text: string, start: number, length: number): boolean {
  return numberAt(text, start, length) >= 0;
}

/** NaN where something else than digits stands. */
function numberAt(text: string, start: number, length: number): number {
  let number = 0;
  for (let at = start; at < start + length; at += 1) {
    const digit = text.charCodeAt(at) - 0x30;
    if (!(digit >= 0 && digit <= 9)) return Number.NaN;
    number = number * 10 + digit;
  }
  return number;
}
