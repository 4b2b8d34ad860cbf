import { guarded } from './guarded.ts';
import { hashKeyOf, sipHash } from './hash.ts';
import { derivedSource, ORIGIN_ATTRIBUTE } from './origin.ts';
import type { Output, Program } from './program.ts';
import { refuse } from './rejection.ts';

/** An event that was made of another one, for the pipeline that an output feeds. */
export interface DerivedEvent {
  readonly output: string;
  /** Chooses the partition. */
  readonly key: string;
  /** CloudEvents 1.0 in structured mode, as JSON; the same for the same source event, whenever it is made. */
  readonly bytes: Uint8Array;
}

/** An accepted event, as far as what is derived of it needs it. */
export interface DerivationSource {
  /** Source and id, or writer and position where the event has no id. */
  readonly name: string;
  /** Event time, milliseconds since 1970 UTC. */
  readonly timeMs: number;
  /** Arrival of its record, milliseconds since 1970 UTC. */
  readonly arrivalMs: number;
}

/** Longest derived id that holds the source event's name; a longer name is hashed. */
export const DERIVED_ID_BYTES_MAX = 256;

/** All derived events of one event together, in bytes: what fits a record fits one request, too. */
export const DERIVED_BYTES_MAX = 1_000_000;

const utf8 = new TextEncoder();

/** Not secret: nothing but the length of an id hangs on them. */
const NAME_KEYS = ['millrace derive1', 'millrace derive2'].map((text) =>
  hashKeyOf(utf8.encode(text)),
);

/**
 * The events that an accepted event's rows give, in the order of rows and outputs.
 *
 * @throws Refusal when the user's functions throw, or when the events are too large
 */
export function derive(
  program: Program,
  source: DerivationSource,
  rows: readonly unknown[],
): readonly DerivedEvent[] {
  if (program.outputs.length === 0) return [];
  const derived = rows.flatMap((row, index) =>
    program.outputs
      .filter((output) => guarded('transform', () => output.takes(row)))
      .map((output) => derivedEvent(program.name, output, { source, row, index })),
  );
  const bytes = derived.reduce((sum, one) => sum + one.bytes.length, 0);
  if (bytes <= DERIVED_BYTES_MAX) return derived;
  throw refuse('too-large', 'plan', {
    path: '',
    message: `got ${bytes} bytes of derived events from one event, expected at most ${DERIVED_BYTES_MAX}`,
  });
}

/**
 * The id of the event derived of a row: the source event's name and the row's index, or a hash of the
 * name where that is long. A name has a space in it, its hash has none, so that the two never meet.
 */
export function derivedId(name: string, index: number): string {
  const id = `${name} ${index}`;
  // A UTF-16 unit is at most three bytes: short ones need not be counted.
  if (id.length * 3 <= DERIVED_ID_BYTES_MAX) return id;
  if (utf8.encode(id).length <= DERIVED_ID_BYTES_MAX) return id;
  const bytes = utf8.encode(name);
  const halves = NAME_KEYS.map((key) => sipHash(key, bytes)).flatMap(({ high, low }) => [
    high,
    low,
  ]);
  return `${halves.map((half) => half.toString(16).padStart(8, '0')).join('')} ${index}`;
}

function derivedEvent(
  pipeline: string,
  output: Output,
  { source, row, index }: { source: DerivationSource; row: unknown; index: number },
): DerivedEvent {
  const { key, data } = guarded('transform', () => ({
    key: output.keyOf(row),
    data: output.dataOf(row),
  }));
  const head = JSON.stringify({
    specversion: '1.0',
    id: derivedId(source.name, index),
    source: derivedSource(pipeline, output.name),
    type: `${pipeline}.${output.name}`,
    time: new Date(source.timeMs).toISOString(),
    datacontenttype: 'application/json',
    [ORIGIN_ATTRIBUTE]: String(source.arrivalMs),
  });
  const bytes = Buffer.from(`${head.slice(0, -1)},"data":${data}}`);
  return { output: output.name, key, bytes };
}
