import { ORIGIN_ATTRIBUTE, originIn } from './origin.ts';
import type { Program } from './program.ts';
import { type Refusal, refuse } from './rejection.ts';

/** An event out of its envelope, not yet validated. */
export interface Decoded {
  /** What the schema is given. */
  readonly data: unknown;
  /** The envelope's id and source; undefined when the format has no envelope. */
  readonly id: string | undefined;
  readonly source: string | undefined;
  /** Of a derived event: arrival of the record that it was made of, milliseconds since 1970 UTC. */
  readonly originMs: number | undefined;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Reads a record's bytes as the pipeline's format.
 *
 * @throws Refusal not-decodable, without any of the bytes in its message
 */
export function decode(bytes: Uint8Array, format: Program['format']): Decoded {
  const document = parse(bytes);
  if (format === 'json')
    return { data: document, id: undefined, source: undefined, originMs: undefined };
  return openEnvelope(document);
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(utf8.decode(bytes));
  } catch (error) {
    const kind = error instanceof SyntaxError ? 'JSON' : 'UTF-8';
    throw refuse('not-decodable', 'decode', {
      path: '',
      message: `got ${bytes.length} bytes that are not ${kind}, expected one JSON document`,
    });
  }
}

/** CloudEvents 1.0, structured content mode: https://github.com/cloudevents/spec, section 3. */
function openEnvelope(document: unknown): Decoded {
  if (!isRecord(document)) throw noEnvelope('', 'expected a JSON object, a CloudEvent');
  if (document.specversion !== '1.0') throw noEnvelope('specversion', "expected '1.0'");
  const id = attribute(document, 'id');
  const source = attribute(document, 'source');
  attribute(document, 'type');
  if (/\s/.test(source)) throw noEnvelope('source', 'expected a URI reference, without spaces');
  if (document.data === undefined) throw noEnvelope('data', 'expected the event as JSON in data');
  return { data: document.data, id, source, originMs: originIn(document[ORIGIN_ATTRIBUTE]) };
}

function attribute(document: Readonly<Record<string, unknown>>, name: string): string {
  const value = document[name];
  if (typeof value === 'string' && value !== '' && value.isWellFormed()) return value;
  throw noEnvelope(
    name,
    'expected a non-empty string of whole characters, as CloudEvents 1.0 requires',
  );
}

function noEnvelope(path: string, message: string): Refusal {
  return refuse('not-decodable', 'decode', { path, message });
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
